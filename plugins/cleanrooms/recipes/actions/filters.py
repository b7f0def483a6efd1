"""Missing and unwanted values: rows that go, cells that are filled.

Sources: DataBrew guide, "Data quality recipe steps", and for REMOVE_VALUES the guide's own sample recipe.
A cell is missing when it is null or the empty text.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.conditions import invalid, missing
from cleanrooms.recipes.registry import Assign, Change, Drop, Keep, Tier, action

CATEGORY = "data quality"
_KINDS = ("date", "number", "boolean", "unsupported", "string", "timestamp")


@action(
    "REMOVE_VALUES",
    CATEGORY,
    "sourceColumn?",
    note="rows in which all conditions hold go; a comparison with null does not hold",
)
def remove_values(p: Arguments) -> Change:
    if p.has("sourceColumn"):
        p.column()
    return Drop()


@action("REMOVE_MISSING", CATEGORY, "sourceColumn", note="missing is null or the empty text")
def remove_missing(p: Arguments) -> Change:
    column = p.column()
    return Keep(~missing(column, p.schema[column]))


@action(
    "REMOVE_INVALID",
    CATEGORY,
    "sourceColumn columnDataType? advancedDataType?",
    tier=Tier.TOLERANT,
    note="invalid is text that does not convert to columnDataType, and NaN and infinity in numbers",
)
def removeinvalid_cells(p: Arguments) -> Change:
    return Keep(~invalid_cells(p))


@action("FILL_WITH_CUSTOM", CATEGORY, "sourceColumn value columnDataType?")
def fill_with_custom(p: Arguments) -> Change:
    column = p.column()
    kind = _given_type(p, column)
    return _fill(p, column, kind, _constant(p, column, kind))


@action("FILL_WITH_EMPTY", CATEGORY, "sourceColumn")
def fill_with_empty(p: Arguments) -> Change:
    return _fill(p, p.text_column(), pl.String(), pl.lit(""))


@action("FILL_WITH_NULL", CATEGORY, "sourceColumn", note="every value becomes null, not only missing ones")
def fill_with_null(p: Arguments) -> Change:
    column = p.column()
    return Assign({column: pl.lit(None, p.schema[column])})


@action(
    "REPLACE_WITH_CUSTOM",
    CATEGORY,
    "sourceColumn? sourceColumns? columnDataType? value advancedDataType?",
    tier=Tier.TOLERANT,
    note="invalid as in REMOVE_INVALID",
)
def replace_with_custom(p: Arguments) -> Change:
    columns = p.columns() if p.has("sourceColumns") else [p.column()]
    return Assign(
        {
            c: pl.when(invalid_cells(p, c)).then(_constant(p, c, _given_type(p, c))).otherwise(pl.col(c))
            for c in columns
        }
    )


@action(
    "REPLACE_WITH_NULL",
    CATEGORY,
    "sourceColumn columnDataType? advancedDataType?",
    tier=Tier.TOLERANT,
    note="invalid as in REMOVE_INVALID",
)
def replace_with_null(p: Arguments) -> Change:
    column = p.column()
    return Assign({column: pl.when(~invalid_cells(p)).then(pl.col(column))})


@action(
    "REPLACE_WITH_EMPTY",
    CATEGORY,
    "sourceColumn columnDataType? advancedDataType?",
    tier=Tier.TOLERANT,
    note="invalid as in REMOVE_INVALID",
)
def replace_with_empty(p: Arguments) -> Change:
    column, text = p.texts()
    return Assign({column: pl.when(invalid_cells(p)).then(pl.lit("")).otherwise(text)})


def _fill(p: Arguments, column: str, kind: pl.DataType, value: pl.Expr) -> Change:
    filled = pl.when(missing(column, p.schema[column])).then(value).otherwise(pl.col(column))
    return Assign({column: filled.cast(kind)})


def _given_type(p: Arguments, column: str) -> pl.DataType:
    """The column's type; of one that holds nulls only, the number or boolean that columnDataType says, else text."""
    given = p.choice("columnDataType", (*_KINDS, *casts.DATA_TYPES), "string")
    kind = p.schema[column]
    if kind != pl.Null:
        return kind
    named = casts.DATA_TYPES.get("double" if given == "number" else given, pl.String())
    return named if named.is_numeric() or named == pl.Boolean else pl.String()


def _constant(p: Arguments, column: str, kind: pl.DataType) -> pl.Expr:
    """The parameter value as a type."""
    text = p.text("value")
    if kind == pl.String:
        return pl.lit(text)
    name = next((n for n, t in casts.DATA_TYPES.items() if t == kind), None)
    if name is None and isinstance(kind, pl.Datetime):
        name = "timestamp"
    if name is None and kind.is_decimal():
        name = "decimal"
    found = pl.Series("v", [text])
    read = casts.cast("v", found.dtype, name) if name else None
    value = None if read is None else found.to_frame().select(read).to_series()[0]
    if value is None:
        raise p.error(f"has a value that is no {kind}, the type of the column {column!r}.")
    return pl.lit(value).cast(kind)


def invalid_cells(p: Arguments, column: str | None = None) -> pl.Expr:
    """True where a cell is no columnDataType, by the rule of REMOVE_INVALID."""
    column = column or p.column()
    if p.has("advancedDataType"):
        raise p.error(
            "detects an advanced data type, whose rules DataBrew does not publish.",
            "Use columnDataType, or the service.",
        )
    kind = p.schema[column]
    target = p.choice("columnDataType", (*_KINDS, *casts.DATA_TYPES), "string")
    target = "double" if target == "number" else target
    if kind == pl.String and target in casts.DATA_TYPES and target != "string":
        read = casts.cast(column, kind, target)
        assert read is not None
        return read.is_null() & ~missing(column, kind)
    return invalid(column, kind)
