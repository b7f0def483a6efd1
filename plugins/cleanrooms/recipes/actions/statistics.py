"""Missing and invalid cells replaced by one statistic of their column.

Source: DataBrew guide, "Data quality recipe steps", the FILL_WITH_* and REPLACE_WITH_* families. What is invalid is
as in REMOVE_INVALID; a statistic is of the valid cells. A column of text keeps its type: the statistic is written
as text. Whole numbers become doubles where the statistic may be a fraction, as the guide's mode 2.5 is.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.actions.filters import invalid_cells
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.conditions import missing
from cleanrooms.recipes.distribution import Carried, Filled
from cleanrooms.recipes.registry import Change, Tier, Whole, action
from cleanrooms.recipes.statistic import Average, Median, Mode, Statistic, Sum

CATEGORY = "data quality"
_FILL, _REPLACE = "sourceColumn columnDataType?", "sourceColumn columnDataType? advancedDataType?"
_MODES = ("MINIMUM", "MAXIMUM", "AVERAGE", "NONE")
_INVALID = "invalid as in REMOVE_INVALID; the statistic is of the valid cells"


def _numeric(name: str, statistic: Statistic) -> None:
    @action(f"FILL_WITH_{name}", CATEGORY, _FILL)
    def fill(p: Arguments) -> Change:
        return _filled_with_number(p, statistic)

    @action(f"REPLACE_WITH_{name}", CATEGORY, _REPLACE, tier=Tier.TOLERANT, note=_INVALID)
    def replace_invalid(p: Arguments) -> Change:
        return _replaced(p, _valid_numbers(p), statistic)


_numeric("AVERAGE", Average())
_numeric("MEDIAN", Median())
_numeric("SUM", Sum())


@action(
    "FILL_WITH_MODE",
    CATEGORY,
    "sourceColumn modeType columnDataType?",
    note="NONE fills nothing when values tie",
)
def fill_with_mode(p: Arguments) -> Change:
    return _filled_with_number(p, Mode(p.choice("modeType", _MODES)))


@action(
    "REPLACE_WITH_MODE",
    CATEGORY,
    f"{_REPLACE} modeType?",
    tier=Tier.TOLERANT,
    note=f"{_INVALID}; of several modes the least unless modeType says otherwise",
)
def replace_with_mode(p: Arguments) -> Change:
    return _replaced(p, _valid_numbers(p), Mode(p.choice("modeType", _MODES, "MINIMUM")))


@action("FILL_WITH_MOST_FREQUENT", CATEGORY, _FILL, tier=Tier.TOLERANT, note="ties: the least")
def fill_with_most_frequent(p: Arguments) -> Change:
    if p.schema[p.column()] != pl.String:
        return _filled(p, Mode("MINIMUM"))
    empty = missing(p.column(), p.schema[p.column()])
    return _set(p, empty, _most_frequent(pl.col(p.column()), ~empty))


@action(
    "REPLACE_WITH_MOST_FREQUENT", CATEGORY, _REPLACE, tier=Tier.TOLERANT, note=f"{_INVALID}; ties: the least"
)
def replace_with_most_frequent(p: Arguments) -> Change:
    wrong = invalid_cells(p)
    known = ~wrong & ~missing(p.column(), p.schema[p.column()])
    return _set(p, wrong, _most_frequent(pl.col(p.column()), known))


@action("FILL_WITH_LAST_VALID", CATEGORY, _FILL, tier=Tier.TOLERANT, note="in the input's order")
def fill_with_last_valid(p: Arguments) -> Change:
    empty = missing(p.column(), p.schema[p.column()])
    last = pl.when(~empty).then(pl.col(p.column())).forward_fill()
    change = _set(p, empty & last.is_not_null(), last)
    return change if p.schema[p.column()] == pl.String else replace(change, spark=Carried(p.column()))


@action(
    "REPLACE_WITH_LAST_VALID",
    CATEGORY,
    _REPLACE,
    tier=Tier.TOLERANT,
    note=f"{_INVALID}; in the input's order",
)
def replace_with_last_valid(p: Arguments) -> Change:
    wrong = invalid_cells(p)
    known = ~wrong & ~missing(p.column(), p.schema[p.column()])
    return _set(p, wrong, pl.when(known).then(pl.col(p.column())).forward_fill())


def _filled_with_number(p: Arguments, statistic: Statistic) -> Whole:
    kind = p.schema[p.column()]
    if not kind.is_numeric():
        raise p.error(f"needs numbers; {p.column()!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    return _filled(p, statistic)


def _filled(p: Arguments, statistic: Statistic) -> Whole:
    """Missing cells become the statistic; whole numbers become doubles where it may be a fraction."""
    column = p.column()
    kind = p.schema[column]
    wider = pl.Float64() if kind.is_integer() and statistic.fractions else kind

    def transform(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame.get_column(column).cast(wider)
        return fill(frame.with_columns(values), column, statistic.of(values))

    return Whole(transform, frozenset({column}), spark=Filled(column, statistic))


def fill(frame: pl.DataFrame, column: str, value: object) -> pl.DataFrame:
    """The frame with a value where the column has none; without a value it stays as it is."""
    if value is None:
        return frame
    filled = pl.Series("value", [value], strict=False).cast(frame.schema[column], strict=False)
    return frame.with_columns(pl.col(column).fill_null(pl.lit(filled).first()))


def _replaced(p: Arguments, valid: pl.Expr, statistic: Statistic) -> Whole:
    """Invalid cells become the statistic of the valid ones."""
    column, wrong = p.column(), invalid_cells(p)

    def transform(frame: pl.DataFrame) -> pl.DataFrame:
        value = statistic.of(frame.select(valid.alias("valid")).to_series())
        new = pl.Series("value", [value], strict=False).cast(frame.schema[column], strict=False)
        return frame.with_columns(
            pl.when(wrong).then(pl.lit(new).first()).otherwise(pl.col(column)).alias(column)
        )

    return Whole(transform, frozenset({column}))


def _most_frequent(values: pl.Expr, known: pl.Expr) -> pl.Expr:
    return values.filter(known).mode().min()


def _valid_numbers(p: Arguments) -> pl.Expr:
    """The valid cells as numbers, null where a cell is none."""
    column = p.column()
    kind = p.schema[column]
    if kind.is_integer():
        return pl.col(column)
    if kind.is_numeric():
        return pl.when(~invalid_cells(p)).then(pl.col(column))
    if p.choice("columnDataType", ("number", *casts.DATA_TYPES), "string") not in (
        "number", "byte", "short", "int", "long", "float", "double", "decimal",
    ):  # fmt: skip
        raise p.error(f"needs numbers; {column!r} is of type {kind}.", "Set columnDataType to number.")
    read = casts.cast(column, kind, "double")
    if read is None:
        raise p.error(f"needs numbers; {column!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    return pl.when(~invalid_cells(p)).then(read)


def _set(p: Arguments, where: pl.Expr, value: pl.Expr) -> Whole:
    column = p.column()
    kind = p.schema[column]
    new = pl.when(where).then(value.cast(kind, strict=False)).otherwise(pl.col(column)).alias(column)
    return Whole(lambda frame: frame.with_columns(new), frozenset({column}))
