"""Arrow types as Hive, Glue and Athena name them."""

from __future__ import annotations

import pyarrow as pa

from cleanrooms.errors import CatalogError

_SIMPLE = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
    pa.date32(): "date",
}


def hive_type(kind: pa.DataType) -> str:
    """Hive type that a Glue crawler gives a Parquet column of this Arrow type.

    :raises CatalogError: Hive has no such type
    """
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if pa.types.is_dictionary(kind):
        return hive_type(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_fixed_size_binary(kind):
        return "binary"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{hive_type(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{hive_type(kind.key_type)},{hive_type(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ",".join(f"{f.name.lower()}:{hive_type(f.type)}" for f in kind) + ">"
    raise CatalogError(f"Hive has no type for Arrow's {kind}.", "Change the column's type in the recipe.")


def hive_columns(schema: pa.Schema) -> dict[str, str]:
    """Column names, in lower case as the catalog keeps them, and their Hive types, in order.

    :raises CatalogError: two names differ by case only, or a type is unknown to Hive
    """
    columns = {field.name.lower(): hive_type(field.type) for field in schema}
    if len(columns) != len(schema):
        raise CatalogError(
            "Two columns differ by upper and lower case only, which the catalog cannot tell apart.",
            "Rename one of them in the recipe.",
        )
    return columns
