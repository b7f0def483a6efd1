"""Hive's types, which the Glue catalog speaks, as DuckDB's and as sqlglot's."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import SqlglotError

# Timestamps are kept without a zone and mean UTC: the session's zone is UTC, too.
_ZONED = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ, exp.DataType.Type.TIMESTAMPNTZ)


def data_type(hive_type: str) -> exp.DataType:
    """Returns a Hive type as sqlglot's.

    :raises ValueError: the type is not known
    """
    try:
        built = exp.DataType.build(hive_type, dialect="hive")
    except SqlglotError as problem:
        raise ValueError(f"unknown type {hive_type!r}") from problem
    return without_zone(built)


def without_zone(data_type: exp.DataType) -> exp.DataType:
    """Returns the type with every timestamp in it without a zone."""
    changed = data_type.copy()
    for node in changed.find_all(exp.DataType):
        if node.this in _ZONED:
            node.set("this", exp.DataType.Type.TIMESTAMP)
    return changed


def duckdb_type(hive_type: str) -> str:
    """Returns the name of a Hive type in DuckDB.

    :raises ValueError: the type is not known
    """
    built = data_type(hive_type)
    for node in built.find_all(exp.DataType):
        if node.is_type(*exp.DataType.TEXT_TYPES):
            node.set("expressions", [])  # DuckDB has no lengths
    return built.sql("duckdb")
