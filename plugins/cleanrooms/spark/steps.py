"""What Spark's Python workers run: the worker engine's own code on Arrow batches.

Objects of these classes travel to the executors. They hold how to compile the recipe, never a compiled plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from cleanrooms.recipes.actions.statistics import fill
from cleanrooms.recipes.distribution import ORDER
from cleanrooms.recipes.frames import to_batch, to_frame
from cleanrooms.recipes.plan import Plan
from cleanrooms.spark import arrow
from cleanrooms.spark.errors import Batches, told
from cleanrooms.spark.plans import PlanSource, plan_of
from cleanrooms.spark.staging import Staging
from cleanrooms.spark.units import Reader, UnitFacts

FACTS, ROWS = "facts", "rows"
_PLACES = 40  # bits of a row's place in its unit
_NOTHING = pa.schema([("unit", pa.int64())])
NOTHING = "unit bigint"
"""Schema of steps that leave their rows in the staging: one number per unit or part."""


@dataclass(frozen=True)
class Prepare:
    """Units read, taken through the whole recipe and left in the staging, batch by batch."""

    reader: Reader
    staging: Staging

    def __call__(self, batches: Batches) -> Batches:
        for unit in _units(batches):
            yield from told(self.staging, f"{unit:06}", lambda _, unit=unit: self._unit(unit))(iter(()))  # type: ignore[misc]

    def _unit(self, unit: int) -> Batches:
        plan = plan_of(self.reader.plan(unit))
        with writing(self.staging, unit, plan.output_schema) as write, _Counted(self, plan, unit) as counted:
            for batch in counted.batches():
                write(plan.apply(batch))
        yield _one(unit)


@dataclass(frozen=True)
class Read:
    """Units read and taken through the stages before the first that needs the whole table.

    :param last: that stage
    :param schema: of the rows before it, with their place
    """

    reader: Reader
    staging: Staging
    last: int
    schema: pa.Schema

    def __call__(self, batches: Batches) -> Batches:
        for unit in _units(batches):
            yield from told(self.staging, f"{unit:06}", lambda _, unit=unit: self._unit(unit))(iter(()))  # type: ignore[misc]

    def _unit(self, unit: int) -> Batches:
        plan, place = plan_of(self.reader.plan(unit)), unit << _PLACES
        with _Counted(self, plan, unit) as counted:
            for batch in counted.batches():
                frame = plan.run(plan.normalised(to_frame(batch)), 0, self.last)
                yield from arrow.batches(_placed(frame, place), self.schema)
                place += frame.height


@dataclass(frozen=True)
class Stages:
    """Rows in their order taken through stages that look at each row alone; they get new places.

    :param schema: of the rows after them, with their place
    """

    source: PlanSource
    staging: Staging
    first: int
    last: int
    schema: pa.Schema

    def __call__(self, batches: Batches) -> Batches:
        yield from told(self.staging, f"stage-{self.first:03}", self._run)(batches)

    def _run(self, batches: Batches) -> Batches:
        plan, place = plan_of(self.source), _part() << _PLACES
        for batch in batches:
            frame = plan.run(arrow.frame_of([batch]).drop(ORDER), self.first, self.last)
            yield from arrow.batches(_placed(frame, place), self.schema)
            place += frame.height


@dataclass(frozen=True)
class Together:
    """All rows of a part as one frame, taken through one whole-table stage.

    :param placed: the stage's rows keep their places; else they get new ones
    :param schema: of the rows after it, with their place
    """

    source: PlanSource
    staging: Staging
    stage: int
    schema: pa.Schema
    placed: bool

    def __call__(self, batches: Batches) -> Batches:
        yield from told(self.staging, f"stage-{self.stage:03}", self._run)(batches)

    def _run(self, batches: Batches) -> Batches:
        parts = list(batches)
        if not parts:
            return
        frame = arrow.frame_of(parts)
        plan = plan_of(self.source)
        if self.placed:
            after = plan.run(frame, self.stage, self.stage + 1)
        else:
            after = _placed(plan.run(frame.drop(ORDER), self.stage, self.stage + 1), 0)
        yield from arrow.batches(after, self.schema)


@dataclass(frozen=True)
class Fill:
    """Missing values of a column filled with one value.

    :param schema: of the rows after it: the column may have become one of doubles
    """

    column: str
    value: object
    schema: pa.Schema

    def __call__(self, batches: Batches) -> Batches:
        for batch in batches:
            filled = fill(self._wider(arrow.frame_of([batch])), self.column, self.value)
            yield from arrow.batches(filled, self.schema)

    def _wider(self, frame: pl.DataFrame) -> pl.DataFrame:
        kind = pl.Series(pl.from_arrow(pa.array([], self.schema.field(self.column).type))).dtype
        return frame.with_columns(pl.col(self.column).cast(kind))


@dataclass(frozen=True)
class Finish:
    """Rows in their final order taken through the last stages and left in the staging, a file per part."""

    source: PlanSource
    staging: Staging
    first: int

    def __call__(self, batches: Batches) -> Batches:
        yield from told(self.staging, f"stage-{self.first:03}", self._run)(batches)

    def _run(self, batches: Batches) -> Batches:
        part, plan = _part(), plan_of(self.source)
        with writing(self.staging, part, plan.output_schema) as write:
            for batch in batches:
                frame = arrow.frame_of([batch]).drop(ORDER)
                write(to_batch(plan.run(frame, self.first), plan.output_schema))
        yield _one(part)


class writing:  # noqa: N801 - used like open()
    """A file of the staging for the rows of one unit or part; it appears when the block ends well."""

    def __init__(self, staging: Staging, number: int, schema: pa.Schema) -> None:
        self._context = staging.writing(f"{ROWS}/{number:06}.arrow")
        self._schema = schema

    def __enter__(self):  # type: ignore[no-untyped-def]
        file = self._context.__enter__()
        # Most of the rows are digests, which no level packs better than the first.
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
        self._writer = pa.ipc.new_stream(pa.PythonFile(file, "w"), self._schema, options=options)
        return self._writer.write_batch

    def __exit__(self, *error):  # type: ignore[no-untyped-def]
        if error[0] is None:
            self._writer.close()
        return self._context.__exit__(*error)


class _Counted:
    """Reads a unit, and leaves its counts when it was read to its end."""

    def __init__(self, step: Prepare | Read, plan: Plan, unit: int) -> None:
        self._step, self._plan, self._facts = step, plan, UnitFacts(unit)
        self._before = plan.reasons

    def batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self._step.reader.read(self._facts.unit, self._facts):
            self._facts.good += batch.num_rows
            yield batch

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._facts.identity = dict(self._plan.reasons - self._before)
            self._step.staging.put(f"{FACTS}/{self._facts.unit:06}.json", self._facts.to_json())


def _units(batches: Batches) -> Iterator[int]:
    for batch in batches:
        yield from batch.column(0).to_pylist()


def _placed(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(first, first + frame.height, dtype=pl.Int64).alias(ORDER))


def _part() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    return int(context.partitionId())


def _one(number: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], schema=_NOTHING)
