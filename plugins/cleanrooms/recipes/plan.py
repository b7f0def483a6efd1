"""A compiled recipe: what it does to each Arrow batch, and the schema that results."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from cleanrooms.errors import CleanRoomsError, RecipeError
from cleanrooms.identity import IdentityColumn, normalise, normalise_by_region
from cleanrooms.recipes.frames import Transform, to_batch, to_frame
from cleanrooms.recipes.model import Step
from cleanrooms.recipes.narrow import Narrow
from cleanrooms.recipes.registry import Action, Whole


@dataclass(frozen=True)
class Stage:
    """One step, ready to run. Its repr names the step and holds no key."""

    step: Step
    action: Action
    transform: Transform
    columns: tuple[tuple[str, str], ...]
    """Names and types of the columns after the step."""
    schema: pa.Schema
    """The same in Arrow."""
    whole: Whole | None = None
    """How the step works on the whole table; None where it looks at each batch alone."""

    def __repr__(self) -> str:
        return f"Stage({self.step.number}, {self.step.operation})"


class Plan:
    """Runs a recipe batch by batch; batches may run in several threads at once.

    The same batch always gives the same batch. Keys live in the stages' closures only: a plan cannot be
    pickled, and nothing that it prints shows one.
    """

    def __init__(
        self,
        input_schema: pa.Schema,
        output_schema: pa.Schema,
        stages: Sequence[Stage],
        identity: Sequence[IdentityColumn],
        ending: Transform | None = None,
        narrow: Narrow | None = None,
    ) -> None:
        """:param ending: what follows the last stage
        :param narrow: the same plan on the columns that it touches, where that is possible
        """
        self._ending = ending
        self._narrow = narrow
        self.input_schema = input_schema
        self.output_schema = output_schema
        self.stages = tuple(stages)
        self.identity = tuple(identity)
        self._reasons: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def reasons(self) -> Counter[str]:
        """How many values of each identity column had no canonical form so far, by ``column:reason``."""
        with self._lock:
            return Counter(self._reasons)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch after identity normalisation and every step.

        :raises RecipeError: the batch has other columns than the plan was compiled for, or a step failed
        """
        if not batch.schema.equals(self.input_schema):
            raise RecipeError(
                "A batch has other columns than those its recipe was compiled for.",
                "Compile the recipe for the schema that the source really gives.",
            )
        if self._narrow is None:
            return to_batch(self.run(self.normalised(to_frame(batch))), self.output_schema)
        frame = self.normalised(self._narrow.frame(batch))
        for stage, transform in zip(self.stages, self._narrow.transforms, strict=True):
            frame = _run(stage, transform, frame)
        return self._narrow.batch(frame, batch, self.output_schema)

    def run(self, frame: pl.DataFrame, first: int = 0, last: int | None = None) -> pl.DataFrame:
        """The frame after the stages from ``first`` up to, and without, ``last``; without that, to the end.

        :raises RecipeError: a step failed
        """
        for stage in self.stages[first:last]:
            frame = _run(stage, stage.transform, frame)
        return self._ending(frame) if last is None and self._ending else frame

    def schema_before(self, stage: int) -> pa.Schema:
        """Columns and types that a stage, by its place from 0, is given."""
        if stage:
            return self.stages[stage - 1].schema
        texts = {column.column for column in self.identity}
        return pa.schema([pa.field(f.name, pa.string()) if f.name in texts else f for f in self.input_schema])

    def normalised(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with its identity columns in their canonical form; counts what has none."""
        found: Counter[str] = Counter()
        raw = frame
        for column in self.identity:
            values, reasons = _canonical(column, raw)
            frame = frame.with_columns(values)
            found.update({f"{column.column}:{reason}": n for reason, n in reasons.items()})
        with self._lock:
            self._reasons.update(found)
        return frame

    def __repr__(self) -> str:
        return f"Plan({len(self.stages)} steps, {len(self.identity)} identity columns)"

    def __reduce__(self) -> str:
        raise TypeError("a Plan may hold keys and is never pickled: compile the recipe where it runs")


def _canonical(column: IdentityColumn, frame: pl.DataFrame) -> tuple[pl.Series, Counter[str]]:
    values = frame.get_column(column.column)
    if column.region_column is None:
        return normalise(column.identifier, column.dialect, values, region=column.region)
    regions = frame.get_column(column.region_column)
    return normalise_by_region(column.identifier, column.dialect, values, regions, column.region)


def _run(stage: Stage, transform: Transform, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return transform(frame)
    except CleanRoomsError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        # The library's message may quote a value: only its kind is told, and the chain is cut.
        kind = type(error).__name__
    raise stage.step.error(f"failed on a batch ({kind}).", "Check the types of the columns before this step.")
