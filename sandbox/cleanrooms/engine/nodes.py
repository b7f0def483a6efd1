"""Small steps on syntax trees whose types are annotated."""

from __future__ import annotations

from sqlglot import exp


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Returns a call of a macro or of a DuckDB function; the arguments are copied."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def cast_to(node: exp.Expr, data_type: str) -> exp.Expr:
    """Returns a cast of a copy of ``node`` to a DuckDB type."""
    return exp.Cast(this=node.copy(), to=exp.DataType.build(data_type, dialect="duckdb"))


def is_a(node: exp.Expr, *types: set[exp.DType]) -> bool:
    """Returns whether the type of ``node`` is in one of the groups."""
    return any(node.is_type(*group) for group in types)


def is_text(node: exp.Expr) -> bool:
    """Returns whether ``node`` is known to be text."""
    return is_a(node, exp.DataType.TEXT_TYPES)
