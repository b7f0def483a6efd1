"""One query's work from the catalog to the result's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.cleanrooms.catalog import read_table
from sandbox.cleanrooms.engine.child import run_worker
from sandbox.cleanrooms.engine.failures import RESOURCE_NOT_FOUND, QueryFailed
from sandbox.cleanrooms.engine.fetching import Source, fetch
from sandbox.cleanrooms.engine.formats import csv_options, format_of
from sandbox.cleanrooms.engine.hive import duckdb_type
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.permissions import Runner, check_catalog_access
from sandbox.cleanrooms.engine.translate import Noise, translate
from sandbox.cleanrooms.mapped_tables import engine_table
from sandbox.cleanrooms.settings import Settings

# One association of a query: name, role, owner, region, Glue reference, allowed columns.
Reference = Mapping[str, Any]


def execute(
    sql: str,
    output_columns: Sequence[str],
    references: Sequence[Reference],
    runner: Runner,
    folder: Path,
    settings: Settings,
    *,
    with_csv: bool,
    noise: Noise | None = None,
    still_wanted: Callable[[], None],
) -> dict[str, Path]:
    """Runs a constrained query and returns the result's files by format.

    :param sql: in Spark's dialect, as the verdict gave it
    :param folder: the query's own, private one
    :param noise: under differential privacy
    :param still_wanted: raises when the query was cancelled or its time is over
    :raises QueryFailed: see the codes
    """
    sources = [_source(reference, runner) for reference in references]
    allowed = {
        source.name: _allowed(reference, source)
        for reference, source in zip(references, sources, strict=True)
    }
    translation = translate(sql, allowed, output_columns, noise)
    tables = [
        _table(number, source, allowed[source.name], sql, folder, still_wanted)
        for number, source in enumerate(sources)
    ]
    job = {
        "folder": str(folder),
        "memoryLimit": settings.memory_limit,
        "threads": settings.threads,
        "macros": definitions(),
        "tables": tables,
        "preparations": translation.preparations,
        "query": translation.query,
        "columns": translation.columns,
        "csv": with_csv,
    }
    run_worker(job, still_wanted)
    return {"PARQUET": folder / "result.parquet", "CSV": folder / "result.csv"}


def _source(reference: Reference, runner: Runner) -> Source:
    """The association with its catalog entry, after a look at the role that reads it."""
    if mapping := engine_table(reference):
        return Source(reference["name"], reference["role"], mapping)
    table = read_table(reference["owner"], reference["region"], reference["glue"])
    if table is None:
        message = f"The AWS Glue table of {reference['name']} was not found."
        raise QueryFailed(RESOURCE_NOT_FOUND, message)
    check_catalog_access(reference["name"], reference["role"], table, runner)
    return Source(reference["name"], reference["role"], table)


def _allowed(reference: Reference, source: Source) -> dict[str, str]:
    known = source.table.all_columns
    return {column: known[column] for column in reference["columns"] if column in known}


def _table(
    number: int,
    source: Source,
    columns: Mapping[str, str],
    sql: str,
    folder: Path,
    still_wanted: Callable[[], None],
) -> dict[str, Any]:
    file_format = format_of(source.table.storage)
    place = folder / "tables" / str(number)
    files = fetch(source, sql, place, file_format, still_wanted)
    return {
        "name": source.name,
        "folder": str(place),
        "files": files,
        "format": file_format,
        "csv": csv_options(source.table.storage) if file_format == "csv" else None,
        "columns": {column: duckdb_type(hive_type) for column, hive_type in columns.items()},
        "fileColumns": list(source.table.columns),
        "partitionKeys": list(source.table.partition_keys),
    }
