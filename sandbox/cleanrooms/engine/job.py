"""One query's work from the catalog to the result's files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cleanrooms.catalog import read_table
from sandbox.cleanrooms.engine.child import run_worker
from sandbox.cleanrooms.engine.delivery import Shape
from sandbox.cleanrooms.engine.failures import RESOURCE_NOT_FOUND, QueryFailed
from sandbox.cleanrooms.engine.fetching import Source, fetch
from sandbox.cleanrooms.engine.formats import csv_options, format_of
from sandbox.cleanrooms.engine.hive import duckdb_type
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.engine.permissions import Runner, check_catalog_access
from sandbox.cleanrooms.engine.translate import Noise, translate
from sandbox.cleanrooms.mapped_tables import engine_table
from sandbox.cleanrooms.settings import Settings

# One table of a query: name, role, owner, region, Glue reference, allowed columns; of an intermediate table
# its version and its columns' types instead.
Reference = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """``rows``: the whole result as one Parquet file; ``parts``: in each of the forms that were wanted."""

    rows: Path
    parts: Mapping[Shape, Sequence[Path]]


def execute(
    sql: str,
    output_columns: Sequence[str],
    references: Sequence[Reference],
    runner: Runner,
    folder: Path,
    settings: Settings,
    managed: ManagedStorage,
    *,
    shapes: Collection[Shape],
    noise: Noise | None = None,
    still_wanted: Callable[[], None],
) -> Result:
    """Runs a constrained query and returns the result's files.

    :param sql: in Spark's dialect, as the verdict gave it
    :param folder: the query's own, private one
    :param shapes: the forms in which the result is wanted
    :param noise: under differential privacy
    :param still_wanted: raises when the query was cancelled or its time is over
    :raises QueryFailed: see the codes
    """
    cached = [reference for reference in references if "managed" in reference]
    others = [reference for reference in references if "managed" not in reference]
    sources = [_source(reference, runner) for reference in others]
    allowed = {
        source.name: _allowed(reference, source) for reference, source in zip(others, sources, strict=True)
    }
    allowed |= {reference["name"]: reference["types"] for reference in cached}
    translation = translate(sql, allowed, output_columns, noise)
    tables = [
        _table(number, source, allowed[source.name], sql, folder, still_wanted)
        for number, source in enumerate(sources)
    ]
    tables += [_cached(reference, folder, managed) for reference in cached]
    job = {
        "folder": str(folder),
        "memoryLimit": settings.memory_limit,
        "threads": settings.threads,
        "macros": definitions(),
        "tables": tables,
        "preparations": translation.preparations,
        "query": translation.query,
        "columns": translation.columns,
        "types": translation.types,
        "outputs": [
            {
                "folder": str(folder / shape.name),
                "format": shape.file_format.lower(),
                "rows": None if shape.single else settings.part_rows,
            }
            for shape in shapes
        ],
    }
    run_worker(job, still_wanted)
    written = {shape: sorted((folder / shape.name).iterdir()) for shape in shapes}
    return Result(folder / "result.parquet", written)


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


def _cached(reference: Reference, folder: Path, managed: ManagedStorage) -> dict[str, Any]:
    """An intermediate table's version, which needs nobody's permission any more."""
    place = folder / "tables" / reference["managed"]
    place.mkdir(parents=True)
    if not managed.lend(reference["managed"], place / "rows.parquet"):
        message = f"The rows of intermediate table {reference['name']} are gone. Populate it again."
        raise QueryFailed(RESOURCE_NOT_FOUND, message)
    return {
        "name": reference["name"],
        "folder": str(place),
        "files": 1,
        "format": "parquet",
        "csv": None,
        "columns": {column: duckdb_type(kind) for column, kind in reference["types"].items()},
        "fileColumns": list(reference["types"]),
        "partitionKeys": [],
    }


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
