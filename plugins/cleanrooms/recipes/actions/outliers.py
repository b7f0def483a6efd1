"""Outliers of a column of numbers: flagged, removed, replaced, rescaled.

Source: DataBrew guide, "Outlier detection and handling recipe steps". Where it is silent: deviations are of the
sample, the modified score is 0.6745 times the distance from the median over the median of such distances, an IQR
outlier lies more than threshold times the quartiles' distance outside them, percentiles are interpolated.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.recipes.actions.science import skewed
from cleanrooms.recipes.actions.whole import mode_of
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Change, Tier, Whole, action

CATEGORY = "outliers"
_COMMON = "sourceColumn outlierStrategy threshold?"
_TRIM = "trimValue? minValue? maxValue?"
_NOTE = "sample deviation, 0.6745 in the modified score, interpolated quartiles; nulls are no outliers"
_MODES = {
    "MIN": "MINIMUM",
    "MAX": "MAXIMUM",
    "MINIMUM": "MINIMUM",
    "MAXIMUM": "MAXIMUM",
    "AVERAGE": "AVERAGE",
}
_REPLACE = (
    "WINSORIZE_VALUES", "REPLACE_WITH_CUSTOM", "REPLACE_WITH_EMPTY", "REPLACE_WITH_NULL", "REPLACE_WITH_MODE",
    "REPLACE_WITH_AVERAGE", "REPLACE_WITH_MEDIAN", "REPLACE_WITH_SUM", "REPLACE_WITH_MAX",
)  # fmt: skip


def _number(p: Arguments) -> pl.Expr:
    column = p.column()
    if not p.schema[column].is_numeric():
        raise p.error(
            f"needs numbers; {column!r} is of type {p.schema[column]}.", "Put CHANGE_DATA_TYPE before it."
        )
    return pl.col(column).cast(pl.Float64)


def _outlier(p: Arguments, value: pl.Expr) -> pl.Expr:
    """True for outliers, never null."""
    strategy = p.choice("outlierStrategy", ("Z_SCORE", "MODIFIED_Z_SCORE", "IQR"))
    threshold = p.number("threshold") if p.has("threshold") else 3.0
    if threshold < 0:
        raise p.error("has a threshold below 0.")
    if strategy == "Z_SCORE":
        found = (value - value.mean()).abs() > threshold * value.std()
    elif strategy == "MODIFIED_Z_SCORE":
        away = (value - value.median()).abs()
        found = away * 0.6745 > threshold * away.median()
    else:
        low, high = value.quantile(0.25, "linear"), value.quantile(0.75, "linear")
        reach = (high - low) * threshold
        found = (value < low - reach) | (value > high + reach)
    return found.fill_null(False)


def _trimmed(p: Arguments, value: pl.Expr, default: bool) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """The outliers that count, and the percentiles of minValue and maxValue."""
    low, high = (p.number(n) if p.has(n) else d for n, d in (("minValue", 0.0), ("maxValue", 100.0)))
    if not 0 <= low <= high <= 100:
        raise p.error("has minValue and maxValue that are no percentiles, or in the wrong order.")
    floor, ceiling = value.quantile(low / 100, "linear"), value.quantile(high / 100, "linear")
    found = _outlier(p, value)
    if p.flag("trimValue", default) and (p.has("minValue") or p.has("maxValue")):
        found = found & ((value < floor) | (value > ceiling))
    return found, floor, ceiling


@action(
    "FLAG_OUTLIERS",
    CATEGORY,
    f"{_COMMON} targetColumn trueString? falseString?",
    tier=Tier.TOLERANT,
    note=_NOTE,
)
def flag_outliers(p: Arguments) -> Change:
    yes, no = pl.lit(p.text("trueString", "True")), pl.lit(p.text("falseString", "False"))
    return _set(p.target(), pl.when(_outlier(p, _number(p))).then(yes).otherwise(no))


@action(
    "REMOVE_OUTLIERS",
    CATEGORY,
    f"{_COMMON} removeType? {_TRIM}",
    tier=Tier.TOLERANT,
    note=f"{_NOTE}; CLEAR makes them null, DELETE_ROWS is the default",
)
def remove_outliers(p: Arguments) -> Change:
    column, (found, _, _) = p.column(), _trimmed(p, _number(p), False)
    if p.choice("removeType", ("DELETE_ROWS", "CLEAR"), "DELETE_ROWS") == "CLEAR":
        return _set(column, pl.when(~found).then(pl.col(column)))
    return Whole(lambda frame: frame.filter(~found))


@action(
    "REPLACE_OUTLIERS",
    CATEGORY,
    f"{_COMMON} replaceType modeType? value? {_TRIM}",
    tier=Tier.TOLERANT,
    note=f"{_NOTE}; statistics are of the whole column; an empty number is null",
)
def replace_outliers(p: Arguments) -> Change:
    column, kind = p.column(), p.choice("replaceType", _REPLACE)
    value = _number(p)
    trims = kind in ("REPLACE_WITH_NULL", "REPLACE_WITH_MODE", "WINSORIZE_VALUES")
    found, floor, ceiling = _trimmed(p, value, trims)
    if kind == "WINSORIZE_VALUES":
        new = pl.when(value < floor).then(floor).when(value > ceiling).then(ceiling).otherwise(value)
    elif kind == "REPLACE_WITH_CUSTOM":
        new = pl.lit(p.number("value"))
    elif kind == "REPLACE_WITH_MODE":
        mode = _MODES[p.choice("modeType", tuple(_MODES), "MINIMUM")]
        new = mode_of(value.drop_nulls().mode().implode(), mode)
    else:
        new = {
            "REPLACE_WITH_AVERAGE": value.mean(),
            "REPLACE_WITH_MEDIAN": value.median(),
            "REPLACE_WITH_SUM": value.sum(),
            "REPLACE_WITH_MAX": value.max(),
        }.get(kind, pl.lit(None, pl.Float64))
    replaced = pl.when(found).then(new).otherwise(value)
    return _set(column, replaced.cast(p.schema[column], strict=False))


@action(
    "RESCALE_OUTLIERS_WITH_Z_SCORE",
    CATEGORY,
    f"{_COMMON} targetColumn",
    tier=Tier.TOLERANT,
    note=f"{_NOTE}; every value becomes its distance from the mean in deviations, outliers and others alike",
)
def rescale_with_z_score(p: Arguments) -> Change:
    value = _number(p)
    _outlier(p, value)
    deviation = value.std()
    return _set(p.target(), pl.when(deviation > 0).then((value - value.mean()) / deviation))


@action(
    "RESCALE_OUTLIERS_WITH_SKEW",
    CATEGORY,
    f"{_COMMON} targetColumn skewFunction value?",
    tier=Tier.TOLERANT,
    note=f"{_NOTE}; outliers are transformed as SKEWNESS does, other values stay",
)
def rescale_with_skew(p: Arguments) -> Change:
    value = _number(p)
    return _set(p.target(), pl.when(_outlier(p, value)).then(skewed(p, value)).otherwise(value))


def _set(column: str, value: pl.Expr) -> Change:
    return Whole(lambda frame: frame.with_columns(value.alias(column)), frozenset({column}))
