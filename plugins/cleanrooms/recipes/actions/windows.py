"""Window functions: a new column from the rows around each row.

Source: DataBrew guide, "Window functions", REPLACE_WITH_ROLLING_AVERAGE and REPLACE_WITH_ROLLING_SUM. Rows are in
the input's order, which DataBrew's own engine does not promise: put SORT before them.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cleanrooms.recipes import dates
from cleanrooms.recipes.actions.whole import mode_of
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.conditions import missing
from cleanrooms.recipes.registry import Change, Tier, Whole, action

CATEGORY = "window"
_ROLLING = "sourceColumn numRowsBefore numRowsAfter targetColumn"
_ORDER = "in the input's order"
_UNITS = {
    "MICROSECONDS": "us", "MILLISECONDS": "ms", "SECONDS": "s", "MINUTES": "m", "HOURS": "h", "DAYS": "d",
    "WEEKS": "w", "MONTHS": "mo", "QUARTERS": "q", "YEARS": "y",
}  # fmt: skip


def _added(p: Arguments, value: pl.Expr) -> Change:
    target = p.target()
    return Whole(lambda frame: frame.with_columns(value.alias(target)), frozenset({target}))


@action(
    "NEXT",
    CATEGORY,
    "sourceColumn numRows targetColumn",
    tier=Tier.TOLERANT,
    note=f"{_ORDER}; null past the end",
)
def next_value(p: Arguments) -> Change:
    return _added(p, pl.col(p.column()).shift(-p.integer("numRows", least=0)))


@action(
    "PREV",
    CATEGORY,
    "sourceColumn numRows targetColumn",
    tier=Tier.TOLERANT,
    note=f"{_ORDER}; null before the start",
)
def previous_value(p: Arguments) -> Change:
    return _added(p, pl.col(p.column()).shift(p.integer("numRows", least=0)))


@action(
    "FILL",
    CATEGORY,
    _ROLLING,
    tier=Tier.TOLERANT,
    note=f"{_ORDER}; the nearest value before, within numRowsBefore, else the nearest after, within numRowsAfter",
)
def fill(p: Arguments) -> Change:
    column = p.column()
    kind = p.schema[column]
    known = pl.when(~missing(column, kind)).then(pl.col(column))
    before, after = (p.integer(n, least=0) for n in ("numRowsBefore", "numRowsAfter"))
    filled: pl.Expr = known
    if before:
        filled = filled.fill_null(known.forward_fill(limit=before))
    if after:
        filled = filled.fill_null(known.backward_fill(limit=after))
    return _added(p, filled)


def _rolling(
    operation: str, parameters: str, compute: Callable[[Arguments, pl.Expr, pl.DataType], pl.Expr], note: str
) -> None:
    @action(
        operation, CATEGORY, f"{_ROLLING} {parameters}".strip(), tier=Tier.TOLERANT, note=f"{_ORDER}; {note}"
    )
    def build(p: Arguments) -> Change:
        column = p.column()
        kind = p.schema[column]
        if operation != "ROLLING_COUNT_A":
            _need_number(p, column)
        before, after = (p.integer(n, least=0) for n in ("numRowsBefore", "numRowsAfter"))
        window = pl.concat_list([pl.col(column).shift(n) for n in range(before, -after - 1, -1)])
        return _added(p, compute(p, window.list.drop_nulls(), kind))


_NULLS = "nulls do not count, a window without values gives null"
_rolling("ROLLING_AVERAGE", "", lambda p, e, k: e.list.mean(), _NULLS)
_rolling("ROLLING_SUM", "", lambda p, e, k: pl.when(e.list.len() > 0).then(e.list.sum()), _NULLS)
_rolling("ROLLING_MAX", "", lambda p, e, k: e.list.max(), _NULLS)
_rolling("ROLLING_MIN", "", lambda p, e, k: e.list.min(), _NULLS)
# The examples on their pages call these two otherwise than the guide's index.
for _name in ("ROLLING_STANDARD_DEVIATION", "ROLLING_STDEV"):
    _rolling(_name, "", lambda p, e, k: e.list.std(ddof=0), f"the root of ROLLING_VARIANCE; {_NULLS}")
for _name in ("ROLLING_VARIANCE", "ROLLING_VAR"):
    _rolling(_name, "", lambda p, e, k: e.list.var(ddof=0), f"as VARIANCE; {_NULLS}")
_rolling(
    "ROLLING_COUNT_A",
    "",
    lambda p, e, k: (e.list.filter(pl.element() != "") if k == pl.String else e).list.len().cast(pl.Int64),
    "cells that are neither null nor empty",
)
_rolling(
    "ROLLING_MODE",
    "modeType?",
    lambda p, e, k: mode_of(e.list.eval(pl.element().mode()), mode_type(p)),
    _NULLS,
)
_rolling("ROLLING_KTH_LARGEST", "value", lambda p, e, k: _kth(p, e), f"value is k, from 1; {_NULLS}")
_rolling(
    "ROLLING_KTH_LARGEST_UNIQUE",
    "value",
    lambda p, e, k: _kth(p, e.list.unique()),
    f"value is k, from 1; {_NULLS}",
)


def mode_type(p: Arguments) -> str:
    return p.choice("modeType", ("MINIMUM", "MAXIMUM", "AVERAGE", "NONE"), "MINIMUM")


def _kth(p: Arguments, window: pl.Expr) -> pl.Expr:
    return window.list.sort(descending=True).list.get(p.integer("value", least=1) - 1, null_on_oob=True)


def _need_number(p: Arguments, column: str) -> None:
    if not p.schema[column].is_numeric():
        raise p.error(
            f"needs numbers; {column!r} is of type {p.schema[column]}.", "Put CHANGE_DATA_TYPE before it."
        )


def _over_period(operation: str, compute: Callable[[pl.Expr], pl.Expr]) -> None:
    @action(
        operation,
        "data quality",
        "sourceColumn period columnDataType?",
        tier=Tier.TOLERANT,
        note=f"{_ORDER}; over the row and those before it, period rows in all; nulls do not count",
    )
    def build(p: Arguments) -> Change:
        column, period = p.column(), p.integer("period", least=1)
        _need_number(p, column)
        window = pl.concat_list(
            [pl.col(column).shift(n) for n in range(period - 1, -1, -1)]
        ).list.drop_nulls()
        value = pl.when(window.list.len() > 0).then(compute(window)).alias(column)
        return Whole(lambda frame: frame.with_columns(value), frozenset({column}))


_over_period("REPLACE_WITH_ROLLING_AVERAGE", lambda e: e.list.mean())
_over_period("REPLACE_WITH_ROLLING_SUM", lambda e: e.list.sum())


@action(
    "ROW_NUMBER",
    CATEGORY,
    "groupByColumns? orderByColumns? targetColumn",
    tier=Tier.TOLERANT,
    note="from 1 within each group, by the order columns, nulls first, ties in the input's order",
)
def row_number(p: Arguments) -> Change:
    groups, order = _listed(p, "groupByColumns"), _listed(p, "orderByColumns")
    target = p.target()

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        place = "\0place"
        indexed = frame.with_row_index(place)
        ordered = indexed.sort([*order, place], nulls_last=False) if order else indexed
        count = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
        numbered = ordered.with_columns((count.over(groups) if groups else count).alias(target))
        return numbered.sort(place).drop(place)

    return Whole(run, frozenset({target}))


@action(
    "SESSION",
    CATEGORY,
    "sourceColumn units value groupByColumns? orderByColumns? targetColumn",
    tier=Tier.TOLERANT,
    note="within each group a new number, from 1, where more than the period passed since the row before; "
    "rows without a time give null",
)
def session(p: Arguments) -> Change:
    column, target = p.column(), p.target()
    groups, order = _listed(p, "groupByColumns"), _listed(p, "orderByColumns")
    kind = p.schema[column]
    if kind not in (pl.String, pl.Date) and not isinstance(kind, pl.Datetime):
        raise p.error(f"needs dates; {column!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    period = f"{p.integer('value', least=1)}{_UNITS[p.choice('units', tuple(_UNITS))]}"
    moment = dates.moment(pl.col(column), kind)

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        place, at = "\0place", "\0at"
        indexed = frame.with_row_index(place).with_columns(moment.alias(at))
        ordered = indexed.sort([*(order or [at]), place])
        last = pl.col(at).forward_fill().shift(1)
        new = (pl.col(at) > last.dt.offset_by(period)).fill_null(False).cast(pl.Int64)
        number = pl.when(pl.col(at).is_not_null()).then(new.cum_sum() + 1)
        numbered = ordered.with_columns((number.over(groups) if groups else number).alias(target))
        return numbered.sort(place).drop(place, at)

    return Whole(run, frozenset({target}))


def _listed(p: Arguments, name: str) -> list[str]:
    return p.columns(name) if p.has(name) and p.words(name) else []
