"""Runs a constrained query on a few rows, to prove what comes out. For tests and case files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp

Rows = Sequence[Sequence[Any]]


class EngineMissingError(Exception):
    """DuckDB is not installed: it is a development dependency."""


def run_on_rows(sql: str, tables: Mapping[str, tuple[Mapping[str, str], Rows]]) -> list[tuple[Any, ...]]:
    """The result rows of a Spark query on the given tables (columns with Hive types, and rows).

    :raises EngineMissingError: DuckDB is not installed
    """
    try:
        import duckdb
    except ImportError as error:
        raise EngineMissingError(
            "DuckDB is not installed; install the sandbox extra to run results."
        ) from error
    with duckdb.connect(":memory:") as connection:
        for name, (columns, rows) in tables.items():
            _create(connection, name, columns, rows)
        for statement in sqlglot.transpile(sql, read="spark", write="duckdb"):
            connection.execute(statement)
        return [tuple(row) for row in connection.fetchall()]


def _create(connection: Any, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    schema = exp.Schema(
        this=exp.to_table(f'"{name}"'),
        expressions=[
            exp.ColumnDef(this=exp.to_identifier(column, quoted=True), kind=exp.DataType.build(kind, "hive"))
            for column, kind in columns.items()
        ],
    )
    connection.execute(exp.Create(this=schema, kind="TABLE").sql(dialect="duckdb"))
    if rows:
        marks = ", ".join("?" for _ in columns)
        target = exp.to_identifier(name, quoted=True).sql(dialect="duckdb")
        connection.executemany(f"INSERT INTO {target} VALUES ({marks})", [list(row) for row in rows])  # noqa: S608
