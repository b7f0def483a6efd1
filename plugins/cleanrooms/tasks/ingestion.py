"""Tasks of the nightly DAGs: prepare a day of a source, verify the catalog, archive, notify."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from airflow.sdk import Asset, get_current_context, task

from cleanrooms import settings
from cleanrooms.aws.sensors.export import ExportReadySensor
from cleanrooms.config import Source
from cleanrooms.process import for_batches
from cleanrooms.tasks.common import announce, client, counts, explained, read_source
from cleanrooms.windows import day_of

log = logging.getLogger(__name__)


def asset(source: Source) -> Asset:
    """The asset that a night's run of a source updates: its table in the lake."""
    return Asset(name=f"{source.target.database}.{source.target.table}", uri=source.target.location)


def wait_for_export(source: Source) -> ExportReadySensor:
    """The task that waits until the files of the run's day are all there, without a worker slot."""
    export = source.export
    assert export is not None
    return ExportReadySensor(
        task_id="wait_for_export",
        bucket=export.bucket,
        prefix=export.prefix.replace("{day}", "{{ params.day or dag_run.partition_key }}"),
        pattern=export.pattern,
        manifest=export.manifest,
        quiet_seconds=export.quiet_seconds,
        archive_prefix=export.archive_prefix,
        deadline_seconds=export.deadline_seconds,
        poke_interval=export.poll_seconds,
        execution_timeout=timedelta(seconds=export.deadline_seconds, hours=1),
        aws_conn_id=source.aws_conn_id or settings.aws_conn_id(),
    )


@task
@explained
def prepare(name: str) -> dict[str, Any]:
    """Read one day of the source, secure the people in it, publish it as one Parquet object.

    :returns: counts and the place of the partition; never values
    """
    from airflow.sdk.log import mask_secret

    for_batches()
    from cleanrooms.sources.hygiene import earlier
    from cleanrooms.sources.prepare import prepare as prepare_day
    from cleanrooms.sources.secrets import SecretsManager

    source, day = source_and_day(name)
    secrets = SecretsManager(client("secretsmanager", source.aws_conn_id), mask=mask_secret)
    uri = _database_uri(source.database.connection) if source.database else None
    s3 = client("s3", source.aws_conn_id)
    report = prepare_day(
        source, day, s3=s3, secrets=secrets, database_uri=uri, previous=earlier(source, day, s3)
    ).to_dict()
    log.info("%s of %s: %s", name, day, counts(report))
    return report


@task
@explained
def verify(name: str, report: dict[str, Any]) -> None:
    """Check that the Glue catalog shows the day's partition with all its columns."""
    from cleanrooms.tables.catalog import verify as verify_catalog

    source, day = source_and_day(name)
    verify_catalog(client("glue", source.aws_conn_id), source.target, report["columns"], day)


@task
@explained
def archive(name: str, report: dict[str, Any]) -> int:
    """Move the files that were read to the archive prefix, now that the catalog shows their rows.

    :returns: number of files in the archive
    """
    from cleanrooms.sources.exports import archive as archive_files
    from cleanrooms.sources.report import PrepareReport

    source, _ = source_and_day(name)
    assert source.export is not None
    files = [file.version for file in PrepareReport.from_dict(report).files]
    return len(archive_files(source.export, files, s3=client("s3", source.aws_conn_id)))


@task
@explained
def notify(name: str, report: dict[str, Any], *, outlet_events: Any = None) -> None:
    """Say by SNS that a day of the source is there; record the counts on its asset."""
    source, day = source_and_day(name)
    facts: dict[str, Any] = {
        k: report[k] for k in ("rows_in", "rows_out", "quarantined", "location") if k in report
    }
    if outlet_events is not None:
        outlet_events[asset(source)].extra = {"day": day.isoformat(), **facts}
    if not source.notify:
        return
    message: dict[str, Any] = {"source": name, "day": day.isoformat(), "table": asset(source).name, **facts}
    announce(source.notify, f"{name}: {day} is ready", message, source.aws_conn_id)


def source_and_day(name: str) -> tuple[Source, date]:
    """The source of a name and the day that the current run is for."""
    source = read_source(name)
    return source, day_of(get_current_context(), source.schedule.timezone)


def _database_uri(conn_id: str) -> str:
    """URI of a database connection, as ADBC and SQLAlchemy take it; a host that is a folder is a Unix socket."""
    from urllib.parse import quote

    from airflow.sdk import BaseHook

    connection = BaseHook.get_connection(conn_id)
    scheme = "postgresql" if connection.conn_type == "postgres" else connection.conn_type
    login = quote(connection.login or "", safe="")
    if connection.password:
        login += f":{quote(connection.password, safe='')}"
    host = connection.host or ""
    if host.startswith("/"):
        return f"{scheme}://{login}@/{connection.schema}?host={quote(host, safe='/')}"
    port = f":{connection.port}" if connection.port else ""
    return f"{scheme}://{login}@{host}{port}/{connection.schema}"
