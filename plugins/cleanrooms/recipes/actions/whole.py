"""Actions that need every row: duplicates, order and groups.

Source: DataBrew guide, "Data quality recipe steps", SORT and GROUP_BY. They run on plans compiled for a whole
table only, on which row order is the input's. Each says beside its transform how it works on a table that is
spread over many machines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.distribution import Gathered, Sorted, SortKey, Together, place
from cleanrooms.recipes.registry import Change, Tier, Whole, action

CATEGORY = "data quality"
_FLAGS = "targetColumn trueString? falseString?"
AGGREGATES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "SUM": lambda e: e.sum(),
    "AVERAGE": lambda e: e.mean(),
    "MEAN": lambda e: e.mean(),
    "MIN": lambda e: e.min(),
    "MAX": lambda e: e.max(),
    "MEDIAN": lambda e: e.median(),
    "MODE": lambda e: e.drop_nulls().mode().min(),
    "COUNT": lambda e: e.count().cast(pl.Int64),
    "COUNT_DISTINCT": lambda e: e.drop_nulls().n_unique().cast(pl.Int64),
    "STANDARD_DEVIATION": lambda e: e.std(),
    "STDDEV": lambda e: e.std(),
    "VARIANCE": lambda e: e.var(),
    "SKEWNESS": lambda e: e.skew(),
    "KURTOSIS": lambda e: e.kurtosis(),
    "FIRST": lambda e: e.first(),
    "LAST": lambda e: e.last(),
    "COLLECT_LIST": lambda e: e.drop_nulls().implode(),
}
"""Aggregate functions of GROUP_BY, PIVOT and TRANSPOSE; deviations are of the sample, ties of MODE give the least."""


@action("DELETE_DUPLICATE_ROWS", CATEGORY, "", note="the first of equal rows stays; nulls are equal")
def delete_duplicate_rows(p: Arguments) -> Change:
    return _first_of(tuple(p.schema))


@action(
    "REMOVE_DUPLICATES", CATEGORY, "sourceColumn", tier=Tier.TOLERANT, note="the first row of a value stays"
)
def remove_duplicates(p: Arguments) -> Change:
    return _first_of((p.column(),))


def _first_of(columns: tuple[str, ...]) -> Change:
    return Whole(
        lambda frame: frame.unique(columns, keep="first", maintain_order=True), spark=Together(columns)
    )


@action(
    "FLAG_DUPLICATE_ROWS", CATEGORY, _FLAGS, tier=Tier.TOLERANT, note="the first of equal rows is not flagged"
)
def flag_duplicate_rows(p: Arguments) -> Change:
    return _flagged(p, tuple(p.schema))


@action(
    "FLAG_DUPLICATES_IN_COLUMN",
    CATEGORY,
    f"sourceColumn {_FLAGS}",
    tier=Tier.TOLERANT,
    note="the first row of a value is not flagged",
)
def flag_duplicates_in_column(p: Arguments) -> Change:
    return _flagged(p, (p.column(),))


def _flagged(p: Arguments, columns: tuple[str, ...]) -> Change:
    target, yes, no = p.target(), p.text("trueString", "True"), p.text("falseString", "False")
    repeated = ~pl.struct(columns).is_first_distinct()
    flag = pl.when(repeated).then(pl.lit(yes)).otherwise(pl.lit(no)).alias(target)
    return Whole(lambda frame: frame.with_columns(flag), frozenset({target}), spark=Together(columns))


def mode_of(modes: pl.Expr, kind: str) -> pl.Expr:
    """One of a list of modes: MINIMUM, MAXIMUM, AVERAGE, or with NONE the only one."""
    if kind == "MINIMUM":
        return modes.list.min()
    if kind == "MAXIMUM":
        return modes.list.max()
    if kind == "AVERAGE":
        return modes.list.mean()
    return pl.when(modes.list.len() == 1).then(modes.list.get(0, null_on_oob=True))


@action(
    "SORT",
    "basic column",
    "expressions",
    note="text by code points, or as customOrder lists it; nulls where nullsOrdering says, else last",
)
def sort(p: Arguments) -> Change:
    expressions = p.json("expressions")
    if (
        not isinstance(expressions, list)
        or not expressions
        or not all(isinstance(e, dict) for e in expressions)
    ):
        raise p.error("has expressions that are no list of objects.")
    keys: list[tuple[pl.Expr, bool, bool]] = []
    for e in expressions:
        if e.get("sourceColumn") not in p.schema:
            raise p.error("sorts by a column that does not exist here.", f"Columns: {', '.join(p.schema)}.")
        if str(e.get("ordering", "ASCENDING")).upper() not in ("ASCENDING", "DESCENDING"):
            raise p.error("has an ordering that is none of ASCENDING, DESCENDING.")
        down = str(e.get("ordering")).upper() == "DESCENDING"
        last = str(e.get("nullsOrdering")).upper() != "NULLS_TOP"
        keys += [(key, down, last) for key in _sort_keys(p, e)]
    names, descending, nulls_last = zip(*keys, strict=True)
    plain = not any(e.get("customOrder") for e in expressions)
    columns = [SortKey(e["sourceColumn"], k[1], k[2]) for e, k in zip(expressions, keys, strict=False)]
    return Whole(
        lambda frame: frame.sort(
            names, descending=list(descending), nulls_last=list(nulls_last), maintain_order=True
        ),
        spark=Sorted(tuple(columns)) if plain else Gathered(),
    )


def _sort_keys(p: Arguments, expression: dict[str, Any]) -> list[pl.Expr]:
    """What a column is sorted by: with a customOrder the place in it first, values outside it after all others."""
    column, order = expression["sourceColumn"], expression.get("customOrder")
    if not order:
        return [pl.col(column)]
    if not isinstance(order, list):
        raise p.error("has a customOrder that is no list.")
    cased = str(expression.get("isCustomOrderCaseSensitive", "false")).lower() == "true"
    text, words = p.as_text(column), [str(v) for v in order]
    if not cased:
        text, words = text.str.to_lowercase(), [w.lower() for w in words]
    places = {w: n for n, w in reversed(list(enumerate(words)))}
    place = text.replace_strict(
        list(places), list(places.values()), default=len(words), return_dtype=pl.Int64
    )
    return [pl.when(text.is_not_null()).then(place), pl.col(column)]


@action(
    "GROUP_BY",
    "data structure",
    "sourceColumns groupByAggFunctionOptions? groupByAggFunctions? useNewDataFrame?",
    note="a new table in the order in which groups first occur; with useNewDataFrame false the results stand beside "
    "each row",
)
def group_by(p: Arguments) -> Change:
    columns, aggregates = p.columns(), _aggregates(p)
    spread = Together(tuple(columns))
    made = frozenset(name for name, _ in aggregates)
    values = [value.alias(name) for name, value in aggregates]
    if p.flag("useNewDataFrame", True):
        if made & set(columns):
            raise p.error("names a target as one of its groups.", "Choose another targetColumnName.")
        return Whole(lambda frame: _grouped(frame, columns, values), made, spark=spread)
    p.tolerate("results stand beside each row of their group")
    if made & set(p.schema):
        raise p.error("would replace a column that exists.", "Choose another targetColumnName.")
    return Whole(lambda frame: frame.with_columns([v.over(columns) for v in values]), made, spark=spread)


def _grouped(frame: pl.DataFrame, columns: list[str], values: list[pl.Expr]) -> pl.DataFrame:
    first = [pl.col(name).first() for name in place(frame)]
    return frame.group_by(columns, maintain_order=True).agg(*values, *first)


def _aggregates(p: Arguments) -> list[tuple[str, pl.Expr]]:
    """Target and value of each aggregate; UNAGGREGATED is none, the groups alone."""
    name = "groupByAggFunctionOptions" if p.has("groupByAggFunctionOptions") else "groupByAggFunctions"
    if p.text(name).strip('"') == "UNAGGREGATED":
        return []
    options = p.json(name)
    if not isinstance(options, list) or not all(isinstance(o, dict) for o in options):
        raise p.error(f"has {name} that are no list of objects.")
    found: dict[str, pl.Expr] = {}
    for o in options:
        column, function = o.get("sourceColumnName"), str(o.get("functionName", "")).upper()
        if function == "UNAGGREGATED":
            continue
        target = o.get("targetColumnName")
        if (
            column not in p.schema
            or function not in AGGREGATES
            or not isinstance(target, str)
            or target in found
        ):
            raise p.error(
                f"has {name} that cannot be carried out.",
                f"Name an existing column, a new target and one of {', '.join(AGGREGATES)}.",
            )
        found[target] = AGGREGATES[function](pl.col(column))
    return list(found.items())
