"""Recipes on Spark for people at a terminal and for vectors, on this machine alone."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from cleanrooms.errors import CleanRoomsError, ConfigError
from cleanrooms.recipes import cases, local
from cleanrooms.spark import session
from cleanrooms.spark.plans import PlanSource, RecipeSource, plan_of
from cleanrooms.spark.run import run
from cleanrooms.spark.staging import Folder
from cleanrooms.spark.units import Tables, UnitFacts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine: Parquet by row group, CSV as one unit."""

    path: str
    recipe: PlanSource
    groups: int

    @classmethod
    def of(cls, path: Path, recipe: PlanSource) -> LocalFile:
        groups = pq.ParquetFile(path).num_row_groups if path.suffix == ".parquet" else 1
        return cls(str(path), recipe, groups)

    def __len__(self) -> int:
        return self.groups

    @property
    def parts(self) -> int:
        return self.groups

    def plan(self, unit: int) -> PlanSource:
        return self.recipe

    def read(self, unit: int, facts: UnitFacts) -> Iterator[pa.RecordBatch]:
        path = Path(self.path)
        if path.suffix == ".parquet":
            batches = pq.ParquetFile(path).iter_batches(batch_size=131_072, row_groups=[unit])
        else:
            batches = local.read(path)[1]
        for batch in batches:
            facts.rows += batch.num_rows
            yield batch


def run_file(input_path: Path, output: Path, recipe: RecipeSource) -> tuple[int, int]:
    """A recipe on a file, by a Spark of this machine; rows read and rows written.

    :raises CleanRoomsError: a step cannot be carried out, or there is no PySpark here
    """
    plan = plan_of(recipe)
    written = 0
    with tempfile.TemporaryDirectory(prefix="cleanrooms-") as folder:
        staging = Folder(folder)
        done = run(spark(), LocalFile.of(input_path, recipe), staging)
        with local.writer(output, plan.output_schema) as write:
            for batch in done.rows(staging):
                write.write_batch(batch)
                written += batch.num_rows
    return sum(facts.rows for facts in done.facts), written


def on_spark(tasks: Sequence[cases.Task]) -> list[pa.RecordBatch | CleanRoomsError]:
    """Carries vectors out on Spark: those that look at rows alone in one job, the others one by one."""
    sources = [
        RecipeSource(recipe.dump(), batch.schema, cases.secret, tolerant=True) for recipe, batch in tasks
    ]
    found: dict[int, pa.RecordBatch | CleanRoomsError] = {}
    alone: list[int] = []
    together: list[int] = []
    for number, source in enumerate(sources):
        try:
            (together if _rowwise(source) else alone).append(number)
            continue
        except CleanRoomsError:  # its columns may follow from the values, which a vector has
            sources[number] = replace(source, table=tasks[number][1])
        try:
            plan_of(sources[number])
            alone.append(number)
        except CleanRoomsError as error:
            found[number] = error
    try:
        found |= dict(
            zip(together, _run([tasks[n] for n in together], [sources[n] for n in together]), strict=True)
        )
    except CleanRoomsError:  # one of them: which, shows when each runs by itself
        alone = sorted(alone + together)
    for number in alone:
        try:
            (found[number],) = _run([tasks[number]], [sources[number]])
        except CleanRoomsError as error:
            found[number] = error
    return [found[number] for number in range(len(tasks))]


def spark() -> SparkSession:
    """A Spark of this machine.

    :raises ConfigError: there is no PySpark
    """
    if importlib.util.find_spec("pyspark") is None:
        raise ConfigError(
            "There is no PySpark in this Python.",
            "Install pyspark 3.5 or 4 and a Java beside this package, or use --engine worker.",
        )
    return session.local()


def _rowwise(source: RecipeSource) -> bool:
    return all(stage.whole is None for stage in plan_of(source).stages)


def _run(tasks: Sequence[cases.Task], sources: Sequence[RecipeSource]) -> list[pa.RecordBatch]:
    tables = tuple(pa.Table.from_batches([batch]) for _, batch in tasks)
    with tempfile.TemporaryDirectory(prefix="cleanrooms-") as folder:
        staging = Folder(folder)
        done = run(spark(), Tables(tables, tuple(sources)), staging)
        if len(tasks) == 1:
            return [_one(list(done.rows(staging)), sources[0])]
        return [
            _one(list(type(done)((name,), ()).rows(staging)), source)
            for name, source in zip(done.files, sources, strict=True)
        ]


def _one(batches: list[pa.RecordBatch], source: RecipeSource) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches, plan_of(source).output_schema).combine_chunks()
    found = table.to_batches()
    return found[0] if found else pa.RecordBatch.from_pylist([], schema=table.schema)
