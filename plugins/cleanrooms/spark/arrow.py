"""Arrow's types in Spark, for rows that cross from a Python worker into Spark and back.

Only rows that a whole-table step moves between machines cross; everything else stays in Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from cleanrooms.errors import RecipeError
from cleanrooms.recipes.distribution import ORDER

_SPARK = {
    pa.string(): "string",
    pa.binary(): "binary",
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp_ntz",
}


def with_order(schema: pa.Schema) -> pa.Schema:
    """The schema of rows that carry their place; Spark keeps no metadata of fields."""
    return pa.schema([*(pa.field(f.name, f.type) for f in schema), pa.field(ORDER, pa.int64())])


def ddl(schema: pa.Schema) -> str:
    """The schema as Spark writes it.

    :raises RecipeError: a column's type has no equal in Spark
    """
    return ", ".join(f"{quoted(field.name)} {_type(field)}" for field in schema)


def quoted(name: str) -> str:
    """A column's name in Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def batches(frame: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The frame's rows as batches of exactly this schema."""
    yield from (
        frame.to_arrow(compat_level=pl.CompatLevel.oldest()).select(schema.names).cast(schema).to_batches()
    )


def _type(field: pa.Field) -> str:
    kind = field.type
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array<{_type(kind.value_field)}>"
    try:
        return _SPARK[kind]
    except KeyError:
        raise RecipeError(
            f"Column {field.name!r} is of type {kind}, which Spark cannot move between machines.",
            "Put CHANGE_DATA_TYPE before the step that needs the whole table.",
        ) from None
