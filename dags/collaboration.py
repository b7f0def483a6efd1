"""Weekly collaboration runs: one DAG per file in include/collaborations/."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, XComArg, task_group

from cleanrooms import settings
from cleanrooms.config import Collaboration, load_collaboration
from cleanrooms.tasks import collaboration as tasks
from cleanrooms.tasks.common import build_each, default_args
from cleanrooms.tasks.docs import collaboration_doc
from cleanrooms.tasks.query import CollaborationQueryOperator


def collaborate(collaboration: Collaboration) -> DAG:
    """The DAG of one collaboration: each run reports the ISO week in which its data interval starts."""
    with DAG(
        dag_id=f"collaborate__{collaboration.name}",
        description=collaboration.description,
        doc_md=collaboration_doc(collaboration),
        schedule=CronDataIntervalTimetable(
            collaboration.schedule.cron, timezone=collaboration.schedule.timezone
        ),
        start_date=collaboration.schedule.start_time,
        end_date=collaboration.schedule.end_time,
        catchup=False,
        max_active_runs=1,
        params={
            "week": Param(
                None,
                type=["null", "string"],
                pattern=r"^\d{4}-W\d{2}$",
                title="Week",
                description="ISO week to report (2017-W46), when you trigger this DAG yourself",
            ),
            "force_new_query": Param(
                False,
                type="boolean",
                title="Start new queries",
                description="Pay for each query again even where one of this week can be adopted",
            ),
        },
        tags=["cleanrooms", "collaboration", *collaboration.tags],
        default_args=default_args(collaboration.owner),
    ) as dag:
        ready = tasks.preflight(collaboration.name)

        @task_group(group_id="query")
        def answer(query: str) -> XComArg:
            run = CollaborationQueryOperator(
                task_id="run",
                collaboration=collaboration.name,
                query=query,
                pool=settings.query_pool(),
                force_new_query="{{ params.force_new_query }}",
                execution_timeout=timedelta(hours=23, minutes=30),
                map_index_template="{{ task.query }}",
                aws_conn_id=collaboration.aws_conn_id or settings.aws_conn_id(),
            )
            ready >> run
            return tasks.release(collaboration.name, query, run.output)

        answers = answer.expand(query=[query.name for query in collaboration.queries])
        report = tasks.report(collaboration.name, answers)
        tasks.notify(collaboration.name, answers, report)
    return dag


globals().update(build_each("collaborations", "collaborate", load_collaboration, collaborate))
