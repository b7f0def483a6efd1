"""A recipe on units of input, on Spark: rows and counts end in a staging, in the input's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cleanrooms.errors import CleanRoomsError
from cleanrooms.recipes.distribution import ORDER
from cleanrooms.spark import arrow
from cleanrooms.spark.errors import left, meaning
from cleanrooms.spark.plans import plan_of
from cleanrooms.spark.staging import Staging
from cleanrooms.spark.steps import FACTS, NOTHING, ROWS, Finish, Prepare, Read, Stages
from cleanrooms.spark.units import Reader, UnitFacts
from cleanrooms.spark.whole import Spread, Whole

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Done:
    """What a run left in its staging.

    :ivar files: names of files with prepared rows, in order
    :ivar facts: counts of each unit, in order
    """

    files: tuple[str, ...]
    facts: tuple[UnitFacts, ...]

    def rows(self, staging: Staging) -> Iterator[pa.RecordBatch]:
        """All rows, in order."""
        for name in self.files:
            with staging.reading(name) as file, pa.ipc.open_stream(pa.PythonFile(file, "r")) as batches:
                yield from batches


def run(spark: SparkSession, reader: Reader, staging: Staging) -> Done:
    """Read every unit and take its rows through the recipe.

    Row-wise recipes are one step without any exchange between machines: a unit is read, prepared and staged by
    one Python worker. From the first step that needs the whole table on, rows travel through Spark.

    :raises CleanRoomsError: what a process found wrong, or that the job failed without saying why
    """
    if not len(reader):
        return Done((), ())
    try:
        parts = _run(spark, reader, staging)
    except CleanRoomsError:
        raise
    except Exception as error:
        raise left(staging) or meaning(error) from None
    finally:
        spark.catalog.clearCache()
    facts = []
    for unit in range(len(reader)):
        with staging.reading(f"{FACTS}/{unit:06}.json") as file:
            facts.append(UnitFacts.from_json(file.read()))
    return Done(tuple(f"{ROWS}/{part:06}.arrow" for part in parts), tuple(facts))


def _run(spark: SparkSession, reader: Reader, staging: Staging) -> list[int]:
    """Numbers of the files with rows, in order."""
    units = spark.range(0, len(reader), 1, reader.parts)
    plan = plan_of(reader.plan(0))
    whole = [place for place, stage in enumerate(plan.stages) if stage.whole is not None]
    if not whole:
        return _numbers(units.mapInArrow(Prepare(reader, staging), NOTHING).collect())
    source, first = reader.plan(0), whole[0]
    schema = arrow.with_order(plan.schema_before(first))
    read = units.mapInArrow(Read(reader, staging, first, schema), arrow.ddl(schema))
    # Spark looks at rows before it sorts or counts them: the input is read once.
    rows, place = Spread(read.persist()), first
    step = Whole(plan, source, staging)
    while place < len(plan.stages):
        if plan.stages[place].whole is not None:
            rows, place = step(rows, place), place + 1
            continue
        end = next((w for w in whole if w > place), None)
        if end is None:
            break
        schema = arrow.with_order(plan.schema_before(end))
        batchwise = Stages(source, staging, place, end, schema)
        rows = Spread(_in_order(rows).mapInArrow(batchwise, arrow.ddl(schema)))
        place = end
    return _numbers(_in_order(rows).mapInArrow(Finish(source, staging, place), NOTHING).collect())


def _in_order(rows: Spread) -> DataFrame:
    return rows.frame if rows.ordered else rows.frame.orderBy(ORDER)


def _numbers(rows: Iterable[Any]) -> list[int]:
    return sorted(row["unit"] for row in rows)
