"""A query's declared columns as Arrow and Glue types, and the one place that holds a table to them."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from cleanrooms.config.collaboration import Query
from cleanrooms.errors import ReleaseRefused

# Widest precision of Spark and Athena; ten decimals hold every average Spark makes of money.
DECIMAL = pa.decimal128(38, 10)

ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "decimal": DECIMAL,
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
GLUE = {kind: kind for kind in ARROW} | {"decimal": f"decimal({DECIMAL.precision},{DECIMAL.scale})"}


def arrow_schema(query: Query) -> pa.Schema:
    """Schema of the published table: the declared columns in their declared order."""
    return pa.schema([(column.name, ARROW[column.type]) for column in query.columns])


def glue_columns(query: Query) -> dict[str, str]:
    """Declared columns as Glue writes them: name to Hive type, in order."""
    return {column.name: GLUE[column.type] for column in query.columns}


def conform(table: pa.Table, query: Query) -> pa.Table:
    """The table with exactly the declared columns, in their order and types; nothing is lost on the way.

    Names are compared without case, as Glue and Athena do.

    :raises ReleaseRefused: naming every column that is missing, extra, doubled or of another type
    """
    found = Counter(name.lower() for name in table.column_names)
    declared = [column.name for column in query.columns]
    problems = [f"column {name} is missing" for name in declared if name not in found]
    problems += [f"column {name} is not declared" for name in sorted(found.keys() - set(declared))]
    problems += [f"column {name} occurs {n} times" for name, n in sorted(found.items()) if n > 1]
    renamed = table.rename_columns([name.lower() for name in table.column_names])
    arrays: list[pa.ChunkedArray] = []
    for column in query.columns:
        if found[column.name] != 1:
            continue
        array = renamed[column.name]
        try:
            arrays.append(_cast(array, column.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            # Arrow's message quotes the value that does not fit: it stays here.
            problems.append(f"column {column.name} is {array.type} and does not fit {column.type}")
    if problems:
        raise ReleaseRefused(
            f"Result of query {query.name} does not have its declared columns: {'; '.join(problems)}.",
            "Make the query's SQL and its columns in the collaboration's file agree.",
            query=query.name,
            problems=tuple(problems),
        )
    return pa.table(arrays, schema=arrow_schema(query))


def _cast(array: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    source, target = array.type, ARROW[kind]
    if pa.types.is_floating(source) and kind == "string":
        raise pa.ArrowInvalid("engines write the same float in different ways")
    if pa.types.is_binary(source) or pa.types.is_large_binary(source) or pa.types.is_nested(source):
        raise pa.ArrowInvalid("not a plain value")
    if kind == "boolean" and not (_is_text(source) or pa.types.is_boolean(source) or array.type == pa.null()):
        raise pa.ArrowInvalid("numbers are not truth values")
    result = array.cast(target)
    if pa.types.is_timestamp(source) and kind == "date":
        back = result.cast(pa.timestamp(source.unit)).cast(pa.int64())
        if not pc.all(pc.equal(back, array.cast(pa.int64())), min_count=0).as_py():
            raise pa.ArrowInvalid("a time of day would be lost")
    return result


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
