"""Arrow's types in Spark, for rows that cross from a Python worker into Spark and back.

Only rows that a whole-table step moves between machines cross; everything else stays in Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    pa.timestamp("us", "UTC"): "timestamp",
}


# PySpark looks columns up by names in which a dot leads into a struct. No header has these two characters.
_SPARK_NAMES = str.maketrans({".": "\x1e", "`": "\x1d"})
_NAMES = str.maketrans({"\x1e": ".", "\x1d": "`"})


def with_order(schema: pa.Schema) -> pa.Schema:
    """The schema of rows that carry their place; Spark keeps no metadata of fields.

    Types that Spark has another form of have that on their way; a column without a type is one of text.
    """
    fields = [pa.field(f.name, _moving(f.type)) for f in schema]
    return pa.schema([*fields, pa.field(ORDER, pa.int64())])


def _moving(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_null(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_dictionary(kind):
        return _moving(kind.value_type)
    if pa.types.is_timestamp(kind) and kind.unit in ("s", "ms"):
        return pa.timestamp("us", kind.tz)
    return kind


def ddl(schema: pa.Schema) -> str:
    """The schema as Spark writes it.

    :raises RecipeError: a column's type has no equal in Spark
    """
    return ", ".join(f"{quoted(field.name)} {_type(field, field.type)}" for field in schema)


def ddl_type(column: pa.Field) -> str:
    """A column's type as Spark writes it."""
    return _type(column, column.type)


def quoted(name: str) -> str:
    """A column's name in Spark's SQL."""
    return f"`{spark_name(name)}`"


def spark_name(name: str) -> str:
    """A column's name in Spark's tables."""
    return name.translate(_SPARK_NAMES)


def batches(frame: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The frame's rows as batches of exactly this schema, for Spark."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).select(schema.names).cast(schema)
    yield from table.rename_columns([spark_name(name) for name in schema.names]).to_batches()


def frame_of(given: Sequence[pa.RecordBatch]) -> pl.DataFrame:
    """Batches from Spark as one frame."""
    table = pa.Table.from_batches(given)
    frame = pl.from_arrow(table.rename_columns([name.translate(_NAMES) for name in table.column_names]))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _type(column: pa.Field, kind: pa.DataType) -> str:
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array<{_type(column, kind.value_type)}>"
    if pa.types.is_struct(kind):
        fields = (f"`{f.name.replace('`', '``')}`: {_type(column, f.type)}" for f in kind)
        return f"struct<{', '.join(fields)}>"
    try:
        return _SPARK[kind]
    except KeyError:
        raise RecipeError(
            f"Column {column.name!r} is of type {kind}, which Spark cannot move between machines.",
            "Put CHANGE_DATA_TYPE before the step that needs the whole table.",
        ) from None
