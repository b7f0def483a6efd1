"""Casts whose result does not depend on the engine: texts are guarded by a pattern before they are read.

A value that does not convert becomes null (DataBrew guide, CHANGE_DATA_TYPE). Where the guide is silent:
``12.7`` is no whole number; a decimal is rounded half away from zero; a number becomes whole by cutting
its fraction; dates and times are read in their ISO 8601 forms only.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cleanrooms.identity.text import BLANKS

DATA_TYPES: Mapping[str, pl.DataType] = {
    "byte": pl.Int8(),
    "short": pl.Int16(),
    "int": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "decimal": pl.Decimal(38, 18),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us"),
    "date": pl.Date(),
}
"""DataBrew's data types; timestamps are UTC without a zone, as Parquet tables in Glue have them."""

_INTEGER = r"^[+-]?[0-9]{1,19}$"
_DECIMAL = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$"
_FLOAT = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
_TIME = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_TRUE, _FALSE = ("true", "yes"), ("false", "no")


def cast(column: str | pl.Expr, kind: pl.DataType, target: str) -> pl.Expr | None:
    """The column as one of :data:`DATA_TYPES`, null where a value does not convert.

    None where no rule exists for the pair of types.
    """
    value, wanted = pl.col(column) if isinstance(column, str) else column, DATA_TYPES[target]
    if kind == wanted:
        return value
    if kind == pl.Null:
        return value.cast(wanted)
    if target == "string":
        return to_text(value, kind)
    if kind == pl.String:
        return _from_text(value.str.strip_chars(BLANKS), target)
    if target == "boolean":
        return (value != 0) if kind.is_integer() else None
    if target in ("date", "timestamp"):
        return _moment(value, kind, wanted)
    if kind.is_float() and wanted.is_integer():
        return value.fill_nan(None).cast(wanted, strict=False)
    if kind.is_decimal() and wanted.is_integer():
        return value.cast(pl.String).str.extract(r"^(-?[0-9]+)").cast(wanted, strict=False)
    if kind.is_float() and wanted.is_decimal():
        return value.fill_nan(None).cast(wanted, strict=False)
    if kind.is_numeric() or kind == pl.Boolean:
        return value.cast(wanted, strict=False)
    return None


def to_text(value: pl.Expr, kind: pl.DataType) -> pl.Expr | None:
    """Text of a value: ISO 8601 for dates and times, true/false, digits; None for nested and binary types."""
    if isinstance(kind, pl.Datetime):
        utc = (
            value if kind.time_zone is None else value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        )
        return utc.dt.strftime("%Y-%m-%d %H:%M:%S%.f")
    if kind.is_nested() or kind == pl.Binary:
        return None
    if kind.is_float():
        return value.fill_nan(None).cast(pl.String)
    return value.cast(pl.String)


def _from_text(text: pl.Expr, target: str) -> pl.Expr:
    wanted = DATA_TYPES[target]
    if target == "boolean":
        low = text.str.to_lowercase()
        return pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False)
    if target == "date":
        return text.str.extract(_DATE).str.to_date("%Y-%m-%d", strict=False)
    if target == "timestamp":
        return _timestamp(text)
    pattern = _INTEGER if wanted.is_integer() else _DECIMAL if wanted.is_decimal() else _FLOAT
    guarded = pl.when(text.str.contains(pattern)).then(text.str.strip_prefix("+"))
    number = guarded.cast(wanted, strict=False)
    return pl.when(number.is_finite()).then(number) if wanted.is_float() else number


def _timestamp(text: pl.Expr) -> pl.Expr:
    part = text.str.extract_groups(_TIME).struct
    clock, second = part.field("2").fill_null("00:00"), part.field("3").fill_null("00")
    micro = part.field("4").fill_null("0").str.pad_end(6, "0").str.slice(0, 6)
    zone = part.field("5").fill_null("Z").replace("Z", "+0000").str.replace(":", "", literal=True)
    whole = part.field("1") + "T" + clock + ":" + second + "." + micro + zone
    return whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False).dt.replace_time_zone(
        None
    )


def _moment(value: pl.Expr, kind: pl.DataType, wanted: pl.DataType) -> pl.Expr | None:
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        value = value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return value.cast(wanted) if kind.is_temporal() and kind not in (pl.Time, pl.Duration) else None
