"""Athena's dialect for the DuckDB engine that stands in for Athena."""

from __future__ import annotations

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.expressions import Column, Dot, Expr, Select, alias_


class UnreadableStatement(Exception):
    """The statement is not Athena SQL, or not a single statement; carries no literal of it."""


def to_duckdb(statement: str) -> str:
    """Returns one Athena statement in DuckDB's dialect.

    :raises UnreadableStatement: does not parse, or is more than one statement
    """
    try:
        parsed = [tree for tree in sqlglot.parse(statement, read="athena") if tree is not None]
    except SqlglotError as problem:
        found = (getattr(problem, "errors", None) or [{}])[0]
        place = f"line {found.get('line', 1)}:{found.get('col', 1)}"
        raise UnreadableStatement(f"{place}: {found.get('description', 'mismatched input')}") from problem
    if len(parsed) != 1:
        raise UnreadableStatement("Only one sql statement is allowed.")
    return _with_athena_names(parsed[0]).sql(dialect="duckdb")


def _with_athena_names(tree: Expr) -> Expr:
    """Athena calls the columns without a name ``_col0``, ``_col1``, ... by position; DuckDB by their text."""
    if isinstance(tree, Select):
        named = [
            column if _is_named(column) else alias_(column, f"_col{place}")
            for place, column in enumerate(tree.selects)
        ]
        tree.set("expressions", named)
    return tree


def _is_named(column: Expr) -> bool:
    return bool(column.alias) or column.is_star or isinstance(column, (Column, Dot))


def reason(problem: Exception) -> str:
    """Returns why a query failed, without the part of the statement that DuckDB quotes."""
    return str(problem).split("\n\nLINE ")[0]
