"""Aggregates across the columns of a row, into a new column. Source: DataBrew guide, "Aggregate functions"."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.conditions import missing
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "aggregate"
_COMMON = "sourceColumns targetColumn"


def _numbers(p: Arguments) -> pl.Expr:
    """The row's numbers as a list of doubles, without nulls and without what is no number."""
    return pl.concat_list([_number(p, c) for c in p.columns()]).list.drop_nulls()


def _number(p: Arguments, column: str) -> pl.Expr:
    kind = p.schema[column]
    if kind.is_numeric():
        return pl.col(column).cast(pl.Float64)
    if kind != pl.String:
        return pl.lit(None, pl.Float64)
    p.tolerate("a text that reads as a number counts as one")
    read = casts.cast(column, kind, "double")
    assert read is not None
    return read


def _of_numbers(
    operation: str,
    compute: Callable[[pl.Expr], pl.Expr],
    note: str = "nulls and what is no number do not count",
) -> None:
    @action(operation, CATEGORY, _COMMON, note=note)
    def build(p: Arguments) -> Change:
        return Assign({p.target(): compute(_numbers(p))})


_of_numbers("SUM", lambda e: e.list.sum(), "nulls and what is no number count as 0")
_of_numbers("AVERAGE", lambda e: e.list.mean())
_of_numbers("MAX", lambda e: e.list.max())
_of_numbers("MIN", lambda e: e.list.min())
_of_numbers("MEDIAN", lambda e: e.list.median())


@action(
    "MODE",
    CATEGORY,
    f"{_COMMON} modeType?",
    tier=Tier.TOLERANT,
    note="the most frequent number; of several the least unless modeType says otherwise, with NONE null",
)
def mode(p: Arguments) -> Change:
    kind = p.choice("modeType", ("MINIMUM", "MAXIMUM", "AVERAGE", "NONE"), "MINIMUM")
    modes = _numbers(p).list.eval(pl.element().mode())
    several = {
        "MINIMUM": modes.list.min(),
        "MAXIMUM": modes.list.max(),
        "AVERAGE": modes.list.mean(),
        "NONE": pl.when(modes.list.len() == 1).then(modes.list.get(0, null_on_oob=True)),
    }
    return Assign({p.target(): several[kind]})


@action(
    "ANY",
    CATEGORY,
    _COMMON,
    tier=Tier.TOLERANT,
    note="the first cell that is neither null nor empty, as text",
)
def any_value(p: Arguments) -> Change:
    cells = [p.as_text(c) for c in p.columns()]
    return Assign({p.target(): pl.coalesce([pl.when(cell != "").then(cell) for cell in cells])})


@action("STANDARD_DEVIATION", CATEGORY, _COMMON, tier=Tier.TOLERANT, note="the root of VARIANCE")
def standard_deviation(p: Arguments) -> Change:
    return Assign({p.target(): _numbers(p).list.std(ddof=0)})


@action("VARIANCE", CATEGORY, _COMMON, note="divided by the count of the numbers, as the guide defines it")
def variance(p: Arguments) -> Change:
    return Assign({p.target(): _numbers(p).list.var(ddof=0)})


@action("COUNT", CATEGORY, _COMMON, note="cells that are neither null nor empty")
def count(p: Arguments) -> Change:
    known = [~missing(c, p.schema[c]) for c in p.columns()]
    return Assign({p.target(): pl.sum_horizontal([k.cast(pl.Int64) for k in known])})


@action(
    "COUNT_DISTINCT",
    CATEGORY,
    _COMMON,
    note="different cells that are neither null nor empty, compared as text",
)
def count_distinct(p: Arguments) -> Change:
    known = [pl.when(~missing(c, p.schema[c])).then(p.as_text(c)) for c in p.columns()]
    return Assign({p.target(): pl.concat_list(known).list.drop_nulls().list.n_unique().cast(pl.Int64)})


@action("KTH_LARGEST", CATEGORY, f"{_COMMON} value", note="value is k, from 1; fewer numbers give null")
def kth_largest(p: Arguments) -> Change:
    return Assign({p.target(): _kth(_numbers(p), p.integer("value", least=1))})


@action("KTH_LARGEST_UNIQUE", CATEGORY, f"{_COMMON} value", note="as KTH_LARGEST among different numbers")
def kth_largest_unique(p: Arguments) -> Change:
    return Assign({p.target(): _kth(_numbers(p).list.unique(), p.integer("value", least=1))})


def _kth(numbers: pl.Expr, k: int) -> pl.Expr:
    return numbers.list.sort(descending=True).list.get(k - 1, null_on_oob=True)
