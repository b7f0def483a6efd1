"""How an action that needs the whole table works where the table is spread over many machines.

A row carries its place in the input in the column :data:`ORDER`, so that "the first of equal rows" means the
same everywhere. ``cleanrooms.spark.whole`` carries these out; nothing here imports Spark.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cleanrooms.recipes.statistic import Statistic

ORDER = "cleanrooms_order"
"""Column with a row's place in the input; only tables on Spark have it, and no recipe sees it."""


def place(frame: pl.DataFrame) -> list[str]:
    """The column ORDER where a frame has it, for transforms of :class:`Together` that name the columns they keep."""
    return [ORDER] if ORDER in frame.columns else []


@dataclass(frozen=True)
class Together:
    """Rows that are equal in these columns have to be in one frame, in the input's order.

    The action's transform then runs per frame: no group of rows looks at another. It leaves ORDER in the rows
    that it returns.
    """

    columns: tuple[str, ...]


@dataclass(frozen=True)
class SortKey:
    column: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Sorted:
    """Rows in a new order; equal ones keep theirs."""

    keys: tuple[SortKey, ...]


@dataclass(frozen=True)
class Filled:
    """Missing values of a column become one statistic of the others."""

    column: str
    statistic: Statistic


@dataclass(frozen=True)
class Carried:
    """Missing values of a column become the last value before them."""

    column: str


@dataclass(frozen=True)
class Gathered:
    """All rows in one frame on one machine: the transform as on a worker. Right for any action, and no faster."""


Distribution = Together | Sorted | Filled | Carried | Gathered
