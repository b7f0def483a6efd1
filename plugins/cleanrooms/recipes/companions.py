"""Digests of a second epoch, which follow their columns through a recipe out of the steps' sight.

While a key is rotated, CRYPTOGRAPHIC_HASH makes two digests of one value. The recipe knows the column that it
hashes; the second digest is carried under a hidden name, renamed and dropped with its column, and shown at the end as
``<column>_<suffix>``. So the recipe file is the same before, during and after a rotation, and valid for DataBrew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from cleanrooms.recipes import conditions
from cleanrooms.recipes.frames import Transform
from cleanrooms.recipes.model import Step
from cleanrooms.recipes.registry import Arrange, Assign, Change, Companion, Reshape, Whole

_HIDDEN = "\x1fepoch\x1f"  # no header that a file or database gives has it, and Arrow takes no NUL


def visible(frame: pl.DataFrame) -> dict[str, pl.DataType]:
    """Columns and types that a step may know of."""
    return {name: kind for name, kind in frame.schema.items() if not name.startswith(_HIDDEN)}


@dataclass
class Companions:
    """The second digests that are held, by the column beside which they stand."""

    held: dict[str, Companion]

    def follow(
        self, step: Step, change: Change, schema: Mapping[str, pl.DataType], run: Transform
    ) -> Transform:
        """The step's transform, with the hidden columns brought along.

        :raises RecipeError: the step changes a digest whose key is rotated
        """
        if isinstance(change, Arrange):
            return self._arranged(change, run)
        if isinstance(change, Assign):
            return self._assigned(step, change, schema, run)
        return run

    def check(self, step: Step, change: Change, after: pl.DataFrame) -> pl.DataFrame:
        """The frame after a step that moves rows; what stands beside columns that are gone is gone too.

        :raises RecipeError: the step kept a column and lost its second digest
        """
        if not isinstance(change, Reshape | Whole):
            return after
        for column in list(self.held):
            gone = column not in after.columns or column in change.made
            if gone:
                del self.held[column]
            elif _HIDDEN + column not in after.columns:
                raise step.error(
                    f"makes a new table and would lose the keys of the other epoch beside {column!r}.",
                    "Put it before CRYPTOGRAPHIC_HASH while the key is rotated.",
                )
        return after.select(n for n in after.columns if not n.startswith(_HIDDEN) or n in self._hidden())

    def shown(self, visible: Mapping[str, object]) -> tuple[Transform, dict[str, dict[str, str]]]:
        """What gives the second digests their own names after the last step, and the facts of these."""
        names = {column: f"{column}_{companion.suffix}" for column, companion in self.held.items()}
        columns = [*visible, *(pl.col(_HIDDEN + c).alias(name) for c, name in names.items())]
        facts = {names[column]: dict(companion.facts) for column, companion in self.held.items()}
        return lambda frame: frame.select(columns), facts

    def _hidden(self) -> set[str]:
        return {_HIDDEN + column for column in self.held}

    def _arranged(self, change: Arrange, run: Transform) -> Transform:
        columns = [pl.col(old).alias(new) for new, old in change.columns]
        kept = {new: old for new, old in change.columns if old in self.held}
        columns += [pl.col(_HIDDEN + old).alias(_HIDDEN + new) for new, old in kept.items()]
        self.held = {new: self.held[old] for new, old in kept.items()}
        return (lambda frame: frame.select(columns)) if kept else run

    def _assigned(
        self, step: Step, change: Assign, schema: Mapping[str, pl.DataType], run: Transform
    ) -> Transform:
        where = conditions.holds(step, schema)
        made: list[pl.Expr] = []
        for column in change.columns:
            companion = change.companions.get(column)
            origin = change.copies.get(column)
            if companion is not None:
                value = companion.value
                if where is not None:
                    before = pl.col(_HIDDEN + column) if column in self.held else pl.lit(None)
                    value = pl.when(where).then(value).otherwise(before)
                made.append(value.alias(_HIDDEN + column))
                self.held[column] = companion
            elif origin in self.held:
                made.append(pl.col(_HIDDEN + origin).alias(_HIDDEN + column))
                self.held[column] = self.held[origin]
            elif column in self.held:
                raise step.error(
                    f"changes {column!r}, a digest that has another epoch's beside it.",
                    "Change the value before CRYPTOGRAPHIC_HASH.",
                )
        if not made:
            return run
        # First, because the step may replace the very value that is hashed.
        return lambda frame: run(frame.with_columns(made))


def with_identity(companion: Companion, facts: Mapping[str, str]) -> Companion:
    """The companion, knowing of which identifier it is a digest."""
    known = {k: facts[k] for k in ("identifier", "dialect") if k in facts}
    return replace(companion, facts={**known, **companion.facts})
