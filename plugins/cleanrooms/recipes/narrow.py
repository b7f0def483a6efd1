"""Plans on fewer columns: what no step touches goes past Polars as it came, and costs nothing.

Tables are wide and recipes name few of their columns. Which these are is known from the steps' expressions, so the
others stay Arrow arrays; a row number tells which of their rows are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from cleanrooms.identity import IdentityColumn
from cleanrooms.recipes.frames import Transform, to_batch, to_frame
from cleanrooms.recipes.registry import Arrange, Assign, Change, Drop, Keep

_ROW = "\x1frow"  # no header that a file or database gives has it


@dataclass(frozen=True)
class Narrow:
    """A plan on the columns that its steps touch.

    :ivar columns: of the input, that steps read or change
    :ivar transforms: the steps, for frames of these columns only
    :ivar untouched: columns of the output that are columns of the input, and which
    """

    columns: tuple[str, ...]
    transforms: tuple[Transform, ...]
    untouched: Mapping[str, str]

    def frame(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """The columns for the steps, and each row's number."""
        rows = pl.int_range(batch.num_rows, dtype=pl.UInt32, eager=True).alias(_ROW)
        return to_frame(batch.select(self.columns)).hstack([rows]) if self.columns else rows.to_frame()

    def batch(self, frame: pl.DataFrame, given: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """What the steps left, with the untouched columns of the same rows.

        :param given: the batch that the frame was made of
        """
        made = [field for field in schema if field.name not in self.untouched]
        done = to_batch(frame.select(field.name for field in made), pa.schema(made)) if made else None
        all_rows = len(frame) == given.num_rows
        rows = None if all_rows else frame.get_column(_ROW).to_arrow(compat_level=pl.CompatLevel.oldest())

        def column(name: str) -> pa.Array:
            if done is not None and name not in self.untouched:
                return done.column(name)
            values = given.column(self.untouched[name])
            return values if rows is None else values.take(rows)

        return pa.RecordBatch.from_arrays([column(name) for name in schema.names], schema=schema)


class Touched:
    """Follows a recipe step by step, and finds out which columns it touches."""

    def __init__(self, schema: pa.Schema, identity: Sequence[IdentityColumn]) -> None:
        self._input = schema
        self._needed: set[str] = set()
        self._untouched = {name: name for name in schema.names}
        self._transforms: list[Transform] | None = []
        for column in identity:
            self._read(filter(None, (column.column, column.region_column)))
        for column in identity:
            self._untouched.pop(column.column, None)

    def follow(self, change: Change, where: pl.Expr | None, transform: Transform) -> None:
        """Take note of a step.

        Rows that become other rows end it, as then nothing is untouched; so do keys of two epochs, whose second
        columns only the whole plan carries.
        """
        if self._transforms is None:
            return
        if where is not None:
            self._read(where.meta.root_names())
        if isinstance(change, Assign) and not change.companions:
            for name, value in change.columns.items():
                self._read([*value.meta.root_names(), *([name] if where is not None else [])])
            for name in change.columns:
                self._untouched.pop(name, None)
        elif isinstance(change, Keep):
            self._read(change.where.meta.root_names())
        elif isinstance(change, Arrange):
            self._untouched = {
                new: self._untouched[old] for new, old in change.columns if old in self._untouched
            }
            transform = _arranged(change)
        elif not isinstance(change, Drop):
            self._transforms = None
            return
        self._transforms.append(transform)

    def found(self, output: pa.Schema) -> Narrow | None:
        """The plan on fewer columns, or None where a step makes other rows or carries keys of two epochs."""
        if self._transforms is None:
            return None
        columns = tuple(name for name in self._input.names if name in self._needed)
        untouched = {name: self._untouched[name] for name in output.names if name in self._untouched}
        return Narrow(columns, tuple(self._transforms), untouched)

    def _read(self, names: Iterable[str]) -> None:
        self._needed |= {self._untouched[name] for name in names if name in self._untouched}


def _arranged(change: Arrange) -> Transform:
    def transform(frame: pl.DataFrame) -> pl.DataFrame:
        columns = [pl.col(old).alias(new) for new, old in change.columns if old in frame.columns]
        return frame.select(*columns, _ROW)

    return transform
