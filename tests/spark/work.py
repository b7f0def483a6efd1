"""What the tests let a Spark driver do; every function takes its session first."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from cleanrooms.config.source import Source
from cleanrooms.recipes import Recipe, cases
from cleanrooms.sources.report import PrepareReport
from cleanrooms.spark import terminal
from cleanrooms.spark.plans import PlanSource, RecipeSource, plan_of
from cleanrooms.spark.prepare import prepare
from cleanrooms.spark.run import Done, run
from cleanrooms.spark.staging import Bucket, Folder
from cleanrooms.spark.units import Tables, UnitFacts

REGION = "us-east-1"


def night(spark: Any, source: Source, day: date, **more: Any) -> PrepareReport:
    """A day of a source, as the Glue job prepares it."""
    recipe = Recipe.load(source.recipe_path)
    staging = Bucket("jobs", f"runs/{source.name}", REGION)
    return prepare(spark, source, recipe, day, region=REGION, staging=staging, **more)


def vectors(spark: Any, found: list[dict[str, Any]]) -> list[cases.Outcome]:
    """Verdicts of vectors."""
    return cases.run(found, terminal.on_spark)


def tables(spark: Any, steps: list[dict[str, Any]], parts: list[pa.Table], **options: Any) -> pa.Table:
    """The table after a recipe; each part is a unit, as a file is."""
    recipe = RecipeSource(Recipe.parse(steps).dump(), parts[0].schema, cases.secret, tolerant=True, **options)
    with tempfile.TemporaryDirectory() as folder:
        staging = Folder(folder)
        done = run(spark, Tables(tuple(parts), (recipe,)), staging)
        return pa.Table.from_batches(list(done.rows(staging)), plan_of(recipe).output_schema)


def tasks(spark: Any, found: list[cases.Task]) -> list[Any]:
    """Tables after recipes, or errors, in order."""
    return terminal.on_spark(found)


@dataclass(frozen=True)
class CodePoints:
    """Texts with every Unicode scalar value; a unit for each recipe."""

    recipes: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.recipes)

    @property
    def parts(self) -> int:
        return 2

    def plan(self, unit: int) -> PlanSource:
        found: PlanSource = self.recipes[unit]
        return found

    def read(self, unit: int, facts: UnitFacts) -> Iterator[pa.RecordBatch]:
        yield from code_points().to_batches(max_chunksize=65_536)


def code_points() -> pa.Table:
    """Column ``a``: every Unicode scalar value once, some at an edge, in a word, at its end; ``n``: the row."""
    points = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    rows = [points[start : start + 8] for start in range(0, len(points), 8)]
    words = ["{}b{} aß{}i {}Σ.{}-{}é{} {}".format(*row) for row in rows]
    return pa.table({"a": words, "n": list(range(len(words)))})


def fingerprint(batches: Iterable[pa.RecordBatch], column: str) -> tuple[int, int]:
    """Rows, and a number that depends on every value of a column and its place."""
    place, total = 0, 0
    for batch in batches:
        values = pl.Series(pl.from_arrow(batch.column(column)))
        hashes = values.cast(pl.String, strict=False).hash(7).to_numpy()
        odd = np.arange(place, place + len(hashes), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        total = (total + int((hashes * odd).sum(dtype=np.uint64))) % 2**64
        place += len(hashes)
    return place, total


def texts_of_every_code_point(spark: Any, found: list[tuple[Recipe, str]]) -> list[tuple[int, int]]:
    """Fingerprints of the columns that recipes make of every code point."""
    schema = code_points().schema
    recipes = tuple(RecipeSource(r.dump(), schema, cases.secret, tolerant=True) for r, _ in found)
    with tempfile.TemporaryDirectory() as folder:
        staging = Folder(folder)
        done = run(spark, CodePoints(recipes), staging)
        return [
            fingerprint(Done((name,), ()).rows(staging), column)
            for name, (_, column) in zip(done.files, found, strict=True)
        ]


def explained(spark: Any, steps: list[dict[str, Any]], table: pa.Table, secrets: Any) -> str:
    """Spark's plan of a recipe that needs the whole table."""
    recipe = RecipeSource(Recipe.parse(steps).dump(), table.schema, secrets, tolerant=True)
    seen: list[str] = []
    original = type(spark.range(1)).collect

    def collect(frame: Any) -> Any:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            frame.explain(extended=True)
        seen.append(said.getvalue())
        return original(frame)

    kind = type(spark.range(1))
    kind.collect = collect
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(spark, Tables((table,), (recipe,)), Folder(folder))
    finally:
        kind.collect = original
    return "\n".join(seen)


def terminal_main(spark: Any, arguments: list[str]) -> int:
    """The command line of recipes."""
    from cleanrooms.recipes.__main__ import main

    return main(arguments)
