"""Actions that need every row: duplicates, order, and fills by one statistic.

Source: DataBrew guide, "Data quality recipe steps", SORT and GROUP_BY. They run on plans compiled for a whole
table only, on which row order is the input's.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Change, Tier, Whole, action

CATEGORY = "data quality"
_FLAGS = "targetColumn trueString? falseString?"
_AGGREGATES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "SUM": lambda e: e.sum(),
    "AVERAGE": lambda e: e.mean(),
    "MIN": lambda e: e.min(),
    "MAX": lambda e: e.max(),
    "MEDIAN": lambda e: e.median(),
    "COUNT": lambda e: e.count().cast(pl.Int64),
    "COUNT_DISTINCT": lambda e: e.drop_nulls().n_unique().cast(pl.Int64),
    "STANDARD_DEVIATION": lambda e: e.std(),
    "VARIANCE": lambda e: e.var(),
}


@action("DELETE_DUPLICATE_ROWS", CATEGORY, "", note="the first of equal rows stays; nulls are equal")
def delete_duplicate_rows(p: Arguments) -> Change:
    return Whole(lambda frame: frame.unique(keep="first", maintain_order=True))


@action(
    "REMOVE_DUPLICATES", CATEGORY, "sourceColumn", tier=Tier.TOLERANT, note="the first row of a value stays"
)
def remove_duplicates(p: Arguments) -> Change:
    column = p.column()
    return Whole(lambda frame: frame.unique(column, keep="first", maintain_order=True))


@action(
    "FLAG_DUPLICATE_ROWS", CATEGORY, _FLAGS, tier=Tier.TOLERANT, note="the first of equal rows is not flagged"
)
def flag_duplicate_rows(p: Arguments) -> Change:
    return _flagged(p, lambda frame: ~pl.struct(frame.columns).is_first_distinct())


@action(
    "FLAG_DUPLICATES_IN_COLUMN",
    CATEGORY,
    f"sourceColumn {_FLAGS}",
    tier=Tier.TOLERANT,
    note="the first row of a value is not flagged",
)
def flag_duplicates_in_column(p: Arguments) -> Change:
    column = p.column()
    return _flagged(p, lambda frame: ~pl.col(column).is_first_distinct())


def _flagged(p: Arguments, repeated: Callable[[pl.DataFrame], pl.Expr]) -> Change:
    target, yes, no = p.target(), p.text("trueString", "True"), p.text("falseString", "False")
    return Whole(
        lambda frame: frame.with_columns(
            pl.when(repeated(frame)).then(pl.lit(yes)).otherwise(pl.lit(no)).alias(target)
        )
    )


@action("FILL_WITH_AVERAGE", CATEGORY, "sourceColumn columnDataType?")
def fill_with_average(p: Arguments) -> Change:
    return _filled(p, lambda e: e.mean())


@action("FILL_WITH_MEDIAN", CATEGORY, "sourceColumn columnDataType?")
def fill_with_median(p: Arguments) -> Change:
    return _filled(p, lambda e: e.median())


@action("FILL_WITH_SUM", CATEGORY, "sourceColumn columnDataType?")
def fill_with_sum(p: Arguments) -> Change:
    return _filled(p, lambda e: e.sum())


@action(
    "FILL_WITH_MODE",
    CATEGORY,
    "sourceColumn modeType columnDataType?",
    note="NONE fills nothing when values tie",
)
def fill_with_mode(p: Arguments) -> Change:
    kind = p.choice("modeType", ("MINIMUM", "MAXIMUM", "AVERAGE", "NONE"))
    return _filled(p, lambda e: _mode(e, kind))


@action(
    "FILL_WITH_MOST_FREQUENT",
    CATEGORY,
    "sourceColumn columnDataType?",
    tier=Tier.TOLERANT,
    note="ties: the least",
)
def fill_with_most_frequent(p: Arguments) -> Change:
    column = p.column()
    return Whole(
        lambda frame: frame.with_columns(pl.col(column).fill_null(pl.col(column).drop_nulls().mode().min()))
    )


@action(
    "FILL_WITH_LAST_VALID",
    CATEGORY,
    "sourceColumn columnDataType?",
    tier=Tier.TOLERANT,
    note="in the input's order",
)
def fill_with_last_valid(p: Arguments) -> Change:
    column = p.column()
    return Whole(lambda frame: frame.with_columns(pl.col(column).forward_fill()))


def _filled(p: Arguments, statistic: Callable[[pl.Expr], pl.Expr]) -> Change:
    column = p.column()
    kind = p.schema[column]
    if not kind.is_numeric():
        raise p.error(f"needs numbers; {column!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    filled = pl.col(column).fill_null(statistic(pl.col(column)).cast(kind, strict=False))
    return Whole(lambda frame: frame.with_columns(filled))


def _mode(values: pl.Expr, kind: str) -> pl.Expr:
    modes = values.drop_nulls().mode()
    if kind == "MINIMUM":
        return modes.min()
    if kind == "MAXIMUM":
        return modes.max()
    return modes.mean() if kind == "AVERAGE" else pl.when(modes.len() == 1).then(modes.min())


@action(
    "SORT",
    "basic column",
    "expressions",
    note="text by code points; nulls where nullsOrdering says, else last",
)
def sort(p: Arguments) -> Change:
    expressions = p.json("expressions")
    if (
        not isinstance(expressions, list)
        or not expressions
        or not all(isinstance(e, dict) for e in expressions)
    ):
        raise p.error("has expressions that are no list of objects.")
    keys = []
    for e in expressions:
        if e.get("customOrder"):
            raise p.error(
                "has a customOrder, which is not supported.", "Sort by a column that carries the order."
            )
        if e.get("sourceColumn") not in p.schema:
            raise p.error("sorts by a column that does not exist here.", f"Columns: {', '.join(p.schema)}.")
        keys.append(
            (e["sourceColumn"], e.get("ordering") == "DESCENDING", e.get("nullsOrdering") != "NULLS_TOP")
        )
    names, down, last = zip(*keys, strict=True)
    return Whole(
        lambda frame: frame.sort(names, descending=list(down), nulls_last=list(last), maintain_order=True)
    )


@action(
    "GROUP_BY",
    "data structure",
    "sourceColumns groupByAggFunctionOptions useNewDataFrame?",
    note="a new table in the order in which groups first occur",
)
def group_by(p: Arguments) -> Change:
    if not p.flag("useNewDataFrame", True):
        raise p.error("would append to the table.", "Set useNewDataFrame to true.")
    columns, options = p.columns(), p.json("groupByAggFunctionOptions")
    if not isinstance(options, list) or not all(isinstance(o, dict) for o in options):
        raise p.error("has groupByAggFunctionOptions that are no list of objects.")
    aggregates = []
    for o in options:
        name, function = o.get("sourceColumnName"), str(o.get("functionName", "")).upper()
        if name not in p.schema or function not in _AGGREGATES or not o.get("targetColumnName"):
            raise p.error(
                "has a groupByAggFunctionOptions that cannot be carried out.",
                f"Name an existing column, a target and one of {', '.join(_AGGREGATES)}.",
            )
        aggregates.append(_AGGREGATES[function](pl.col(name)).alias(o["targetColumnName"]))
    return Whole(lambda frame: frame.group_by(columns, maintain_order=True).agg(aggregates), canonical=False)
