"""Where a day of a source is prepared: one function per engine, whose last task gives the same report.

The report is ``sources.report.PrepareReport`` as a dictionary, whatever the engine; the tasks behind it do not
know which one it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from cleanrooms import settings
from cleanrooms.config import Source
from cleanrooms.tasks import ingestion


class Preparation(NamedTuple):
    """Tasks of an engine: what waits for the export, and what gives the report. They may be one task."""

    first: Any
    report: Any


def prepare(source: Source) -> Preparation:
    """The tasks that prepare the run's day of a source on its engine."""
    return ENGINES[source.engine](source)


def on_worker(source: Source) -> Preparation:
    """One task that streams the day through Airflow's worker."""
    report = ingestion.prepare(source.name)
    return Preparation(report, report)


def on_databrew(source: Source) -> Preparation:
    """Stage on the worker, run the recipe in DataBrew, publish; staged rows go, also after a failure."""
    from cleanrooms.tasks import databrew  # other DAGs need not load its operator

    staged: Any = databrew.stage(source.name)
    run: Any = databrew.run(source, staged)
    report = databrew.publish(source.name, staged, run.output)
    cleaned = databrew.clean_up(source.name)
    report >> cleaned.as_teardown(setups=staged, on_failure_fail_dagrun=True)
    return Preparation(staged, report)


def on_glue(source: Source) -> Preparation:
    """One deferred task that lets a Glue job prepare the day."""
    from cleanrooms.tasks.glue import SourceGlueOperator

    assert source.glue is not None
    # Glue ends a run by the job's own timeout, which tells more than ours: that comes later.
    patience = timedelta(minutes=source.glue.timeout_minutes + 30)
    job = SourceGlueOperator(
        task_id="prepare",
        source=source.name,
        deferrable=True,
        waiter_delay=settings.poll_seconds(),
        waiter_max_attempts=int(patience.total_seconds()) // settings.poll_seconds(),
        execution_timeout=patience,
        aws_conn_id=source.aws_conn_id or settings.aws_conn_id(),
    )
    return Preparation(job, job.output)


ENGINES: Mapping[str, Callable[[Source], Preparation]] = {
    "worker": on_worker,
    "glue": on_glue,
    "databrew": on_databrew,
}
