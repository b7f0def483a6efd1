"""Whole-table actions on Spark: how each :mod:`cleanrooms.recipes.distribution` is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from cleanrooms.recipes.distribution import ORDER, Carried, Filled, Sorted, Together
from cleanrooms.recipes.plan import Plan
from cleanrooms.spark import arrow, steps
from cleanrooms.spark.plans import PlanSource
from cleanrooms.spark.staging import Staging

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Spread:
    """Rows on Spark, each with its place in :data:`ORDER`.

    :ivar ordered: whether parts and the rows in them are in the order of their places
    """

    frame: DataFrame
    ordered: bool = True


@dataclass(frozen=True)
class Whole:
    """Runs the whole-table stages of a plan."""

    plan: Plan
    source: PlanSource
    staging: Staging

    def __call__(self, rows: Spread, stage: int) -> Spread:
        """Rows after a stage, by its place in the plan."""
        change = self.plan.stages[stage].whole
        assert change is not None
        spread = change.spark
        if isinstance(spread, Together):
            return self._together(rows, spread, stage)
        if isinstance(spread, Sorted):
            return _sorted(rows, spread)
        if isinstance(spread, Filled):
            return self._filled(rows, spread, stage)
        if isinstance(spread, Carried):
            return _carried(rows, spread)
        return self._gathered(rows, stage)

    def _together(self, rows: Spread, spread: Together, stage: int) -> Spread:
        after = arrow.with_order(self.plan.stages[stage].schema)
        parts = int(rows.frame.sparkSession.conf.get("spark.sql.shuffle.partitions"))
        met = rows.frame.repartition(parts, *(arrow.quoted(c) for c in spread.columns))
        run = steps.Together(self.source, self.staging, stage, after, placed=True)
        frame = met.sortWithinPartitions(ORDER).mapInArrow(run, arrow.ddl(after))
        return Spread(frame, ordered=False)

    def _gathered(self, rows: Spread, stage: int) -> Spread:
        after = arrow.with_order(self.plan.stages[stage].schema)
        run = steps.Together(self.source, self.staging, stage, after, placed=False)
        gathered = rows.frame.repartition(1).sortWithinPartitions(ORDER)
        return Spread(gathered.mapInArrow(run, arrow.ddl(after)))

    def _filled(self, rows: Spread, spread: Filled, stage: int) -> Spread:
        from pyspark.sql import functions as f

        schema = arrow.with_order(self.plan.stages[stage].schema)
        column = schema.field(spread.column)
        kind = _polars_type(column.type)
        # Whole numbers are doubles from here on where the statistic may be a fraction.
        value_of = f.col(arrow.quoted(column.name)).cast(arrow.ddl_type(column))
        values = rows.frame.select(value_of.alias("value")).where("value IS NOT NULL")
        if kind.is_float():
            values = values.where("NOT isnan(value)")
        value = spread.statistic.on_spark(values, kind)
        return Spread(
            rows.frame.mapInArrow(steps.Fill(spread.column, value, schema), arrow.ddl(schema)), rows.ordered
        )


def _sorted(rows: Spread, spread: Sorted) -> Spread:
    from pyspark.sql import functions as f

    keys = []
    for key in spread.keys:
        column = f.col(arrow.quoted(key.column))
        if key.descending:
            keys.append(column.desc_nulls_last() if key.nulls_last else column.desc_nulls_first())
        else:
            keys.append(column.asc_nulls_last() if key.nulls_last else column.asc_nulls_first())
    placed = rows.frame.orderBy(*keys, f.col(ORDER).asc())
    return Spread(placed.withColumn(ORDER, f.monotonically_increasing_id()))


def _carried(rows: Spread, spread: Carried) -> Spread:
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    until_here = Window.orderBy(ORDER).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    name = arrow.quoted(spread.column)
    carried = f.last(f.col(name), ignorenulls=True).over(until_here)
    here = arrow.spark_name(spread.column)
    columns = [carried.alias(c) if c == here else f.col(arrow.quoted(c)) for c in rows.frame.columns]
    return Spread(rows.frame.select(*columns))


def _polars_type(kind: pa.DataType) -> pl.DataType:
    return pl.Series(pl.from_arrow(pa.array([], kind))).dtype
