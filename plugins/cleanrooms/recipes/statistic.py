"""One value that stands for a column, for the actions that fill with it: on a worker, and on Spark beside it.

Both give the same value to the last digit: sums are exact (``exact``), a median is chosen by its place in the
order, a mode by counting. Nulls and NaN are no values.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import pyarrow as pa

from cleanrooms.recipes.exact import Total, fit, usable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Value = Any
"""A number, or for the most frequent value whatever the column holds; None where there is no such value."""


class Statistic(Protocol):
    """A statistic of one column."""

    @property
    def fractions(self) -> bool:
        """Whether the statistic of whole numbers may be a fraction."""

    def of(self, values: pl.Series) -> Value:
        """On a worker."""

    def on_spark(self, values: DataFrame, kind: pl.DataType) -> Value:
        """On Spark.

        :param values: a frame with the column alone, called ``value``, without nulls and NaN
        :param kind: its type in Polars
        """


@dataclass(frozen=True)
class Sum:
    fractions = False

    def of(self, values: pl.Series) -> Value:
        return fit(Total.of(values).sum(), values.dtype)

    def on_spark(self, values: DataFrame, kind: pl.DataType) -> Value:
        return fit(total(values).sum(), kind)


@dataclass(frozen=True)
class Average:
    fractions = True

    def of(self, values: pl.Series) -> Value:
        return fit(Total.of(values).mean(), values.dtype)

    def on_spark(self, values: DataFrame, kind: pl.DataType) -> Value:
        return fit(total(values).mean(), kind)


@dataclass(frozen=True)
class Median:
    """The middle value, or the mean of the two in the middle."""

    fractions = True

    def of(self, values: pl.Series) -> Value:
        ordered = usable(values).sort()
        return _middle([ordered[place] for place in _places(len(ordered))], values.dtype)

    def on_spark(self, values: DataFrame, kind: pl.DataType) -> Value:
        ordered = values.orderBy("value").persist()
        try:
            counts = dict(
                sorted((r["part"], r["rows"]) for r in ordered.mapInArrow(_count, _COUNT).collect())
            )
            found = []
            for place in _places(sum(counts.values())):
                for part, rows in counts.items():
                    if place < rows:
                        chosen = ordered.mapInArrow(_Pick(part, place), ordered.schema)
                        found += [row["value"] for row in chosen.collect()]
                        break
                    place -= rows
            return _middle(found, kind)
        finally:
            ordered.unpersist()


@dataclass(frozen=True)
class Mode:
    """The most frequent value.

    :param ties: which of several: MINIMUM, MAXIMUM, their AVERAGE, or NONE of them
    """

    ties: str

    @property
    def fractions(self) -> bool:
        return self.ties == "AVERAGE"

    def of(self, values: pl.Series) -> Value:
        known = usable(values)
        if known.dtype.is_float():
            known = known.set(known == 0, 0.0)  # one zero, as Spark counts them
        modes = known.mode()
        if self.ties == "AVERAGE":
            return fit(Total.of(modes).mean(), values.dtype)
        if self.ties == "NONE" and len(modes) != 1:
            return None
        return modes.max() if self.ties == "MAXIMUM" else modes.min()

    def on_spark(self, values: DataFrame, kind: pl.DataType) -> Value:
        from pyspark.sql import functions as f

        counts = values.groupBy("value").count().persist()
        try:
            most = counts.agg(f.max("count")).collect()[0][0]
            modes = counts.where(f.col("count") == f.lit(most)).select("value")
            if self.ties == "AVERAGE":
                return fit(total(modes).mean(), kind)
            least, greatest, number = modes.agg(f.min("value"), f.max("value"), f.count("value")).collect()[0]
            if self.ties == "NONE" and number != 1:
                return None
            found = greatest if self.ties == "MAXIMUM" else least
            return bytes(found) if isinstance(found, bytearray) else found
        finally:
            counts.unpersist()


def total(values: DataFrame) -> Total:
    """The exact total of a column on Spark: each machine adds its rows, and the totals are added here."""
    parts = values.mapInArrow(_totals, "total binary").collect()
    return sum((pickle.loads(bytes(row["total"])) for row in parts), Total())  # noqa: S301 - our own, just made


_COUNT = "part int, rows long"


def _totals(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    found = sum((Total.of(_series(batch)) for batch in batches), Total())
    yield pa.RecordBatch.from_pydict({"total": pa.array([pickle.dumps(found)], pa.binary())})


def _count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    rows = sum(batch.num_rows for batch in batches)
    yield pa.RecordBatch.from_pydict(
        {"part": pa.array([context.partitionId()], pa.int32()), "rows": pa.array([rows], pa.int64())}
    )


@dataclass(frozen=True)
class _Pick:
    """The row at one place of one part."""

    part: int
    place: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        if context is None or context.partitionId() != self.part:
            return
        before = 0
        for batch in batches:
            if before <= self.place < before + batch.num_rows:
                yield batch.slice(self.place - before, 1)
                return
            before += batch.num_rows


def _series(batch: pa.RecordBatch) -> pl.Series:
    return pl.Series("value", pl.from_arrow(batch.column(0)))


def _places(count: int) -> list[int]:
    return sorted({(count - 1) // 2, count // 2}) if count else []


def _middle(values: list[Any], kind: pl.DataType) -> Value:
    if not values:
        return None
    if len(values) == 1 or values[0] == values[1]:
        return values[0]
    if any(v in (float("inf"), float("-inf")) for v in values):
        return sum(values)
    return fit(sum(map(Fraction, values), Fraction(0)) / 2, kind)
