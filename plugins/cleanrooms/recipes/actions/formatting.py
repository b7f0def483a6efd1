"""Numbers and phone numbers as text. Source: DataBrew guide, "Column formatting recipe steps"."""

from __future__ import annotations

import polars as pl

from cleanrooms.errors import ConfigError
from cleanrooms.identity import normalise
from cleanrooms.identity.phone import e164, known_region
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "column formatting"
_UNITS = {"THOUSAND": 3, "MILLION": 6, "BILLION": 9, "TRILLION": 12}


@action(
    "FORMAT_PHONE_NUMBER",
    CATEGORY,
    "sourceColumn phoneNumberFormat? defaultRegion? defaultRegionColumn?",
    note="E.164 of numbers that libphonenumber calls valid; all others stay as they are",
)
def format_phone_number(p: Arguments) -> Change:
    p.choice("phoneNumberFormat", ("E164",), "E164")
    column, text = p.texts()
    if p.has("defaultRegionColumn"):
        return Assign({column: _by_row(column, text, *p.texts("defaultRegionColumn"))})
    region = _region(p) if p.has("defaultRegion") else None

    def run(values: pl.Series) -> pl.Series:
        formatted, _ = normalise("phone", "plain", values, region=region)
        return formatted.fill_null(values)

    return Assign({column: text.map_batches(run, return_dtype=pl.String())}, canonical=True)


def _region(p: Arguments) -> str:
    try:
        return known_region(p.text("defaultRegion"))
    except ConfigError as error:
        raise p.error("has an unknown defaultRegion.", error.todo) from None


def _by_row(column: str, texts: pl.Expr, regions: str, codes: pl.Expr) -> pl.Expr:
    def run(pairs: pl.Series) -> pl.Series:
        frame = pairs.struct.unnest()
        known = frame.unique().drop_nulls(column)
        formatted = [_one(*row) for row in known.select(column, regions).rows()]
        table = known.with_columns(pl.Series("formatted", formatted, pl.String))
        joined = frame.join(table, on=[column, regions], how="left", maintain_order="left", nulls_equal=True)
        return joined.select(pl.coalesce("formatted", column)).to_series()

    return pl.struct(texts, codes).map_batches(run, return_dtype=pl.String())


def _one(text: str, region: str | None) -> str:
    try:
        number = e164(text, known_region(region) if region else None)
    except ConfigError:
        return text
    return number if isinstance(number, str) else text


@action(
    "NUMBER_FORMAT",
    CATEGORY,
    "sourceColumn decimalPlaces? numericDecimalSeparator? numericThousandSeparator? numericAbbreviatedUnit? "
    "numericUnitAbbreviation?",
    tier=Tier.TOLERANT,
    note="rounded half away from zero; abbreviated units divide first",
)
def number_format(p: Arguments) -> Change:
    column = p.column()
    if not p.schema[column].is_numeric() and p.schema[column] != pl.Null:
        raise p.error(
            f"formats numbers; {column!r} is of type {p.schema[column]}.", "Put CHANGE_DATA_TYPE before it."
        )
    places = p.integer("decimalPlaces", 0, least=0)
    point = p.choice("numericDecimalSeparator", (".", ","), ".")
    group = _unless_null(p, "numericThousandSeparator")
    if group not in ("", ",", ".", " ", "'", "\\", "\\\\") or group == point:
        raise p.error("has a numericThousandSeparator that is none, or that is the decimal separator.")
    unit = _unless_null(p, "numericAbbreviatedUnit")
    power = _UNITS[p.choice("numericAbbreviatedUnit", tuple(_UNITS))] if unit else 0
    suffix = _unless_null(p, "numericUnitAbbreviation")

    def run(values: pl.Series) -> pl.Series:
        return pl.Series(
            values.name,
            [None if v is None else _number(v, places, power, point, group) + suffix for v in values],
            pl.String,
        )

    return Assign({column: pl.col(column).map_batches(run, return_dtype=pl.String())})


def _unless_null(p: Arguments, name: str) -> str:
    """The parameter, empty where it is left out or written as null, as the guide does."""
    text = p.text(name, "")
    return "" if text == "null" else text


def _number(value: object, places: int, power: int, point: str, group: str) -> str:
    from decimal import ROUND_HALF_UP, Context, Decimal

    exact = Decimal(str(value)).scaleb(-power)
    if not exact.is_finite():
        return str(value)
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=60))
    return f"{rounded:,.{places}f}".translate({ord(","): group, ord("."): point})
