"""Nightly ingestion: one DAG per file in include/sources/."""

from __future__ import annotations

from airflow.sdk import DAG, CronPartitionTimetable, Param

from cleanrooms import settings
from cleanrooms.config import Source, load_source
from cleanrooms.tasks import engines
from cleanrooms.tasks import ingestion as tasks
from cleanrooms.tasks.common import build_each, default_args
from cleanrooms.tasks.crawl import SourceCrawlOperator
from cleanrooms.tasks.docs import source_doc


def ingest(source: Source) -> DAG:
    """The DAG of one source: each run ingests one day, its partition key."""
    with DAG(
        dag_id=f"ingest__{source.name}",
        description=source.description,
        doc_md=source_doc(source),
        schedule=CronPartitionTimetable(
            source.schedule.cron, timezone=source.schedule.timezone, run_offset=-1, key_format="%Y-%m-%d"
        ),
        start_date=source.schedule.start_time,
        end_date=source.schedule.end_time,
        catchup=False,
        max_active_runs=3,
        params={
            "day": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Day",
                description="Day to ingest, when you trigger this DAG yourself",
            )
        },
        tags=["cleanrooms", "ingestion", *source.tags],
        default_args=default_args(source.owner),
    ) as dag:
        first, report = engines.prepare(source)
        crawl = SourceCrawlOperator(
            task_id="crawl",
            source=source.name,
            pool=settings.crawler_pool(),
            waiter_delay=settings.poll_seconds(),
            waiter_max_attempts=3600 // settings.poll_seconds(),
            aws_conn_id=source.aws_conn_id or settings.aws_conn_id(),
        )
        verified = tasks.verify(source.name, report)
        notified = tasks.notify.override(outlets=[tasks.asset(source)])(source.name, report)
        report >> crawl >> verified >> notified
        if source.export:
            tasks.wait_for_export(source) >> first
            verified >> tasks.archive(source.name, report) >> notified
    return dag


globals().update(build_each("sources", "ingest", load_source, ingest))
