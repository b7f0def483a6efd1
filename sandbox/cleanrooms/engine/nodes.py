"""Small steps on syntax trees."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine.kinds import Kind


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Returns a call of a macro or of a DuckDB function; the arguments are copied."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def number(value: int) -> exp.Expr:
    """Returns a whole number."""
    shown = exp.Literal.number(abs(value))
    return exp.Paren(this=exp.Neg(this=shown)) if value < 0 else shown


def text(value: str) -> exp.Expr:
    """Returns a text literal."""
    return exp.Literal.string(value)


def cast_to(node: exp.Expr, data_type: str) -> exp.Expr:
    """Returns a cast of a copy of ``node`` to a DuckDB type."""
    return exp.Cast(this=node.copy(), to=exp.DataType.build(data_type, dialect="duckdb"))


def try_cast_to(node: exp.Expr, data_type: str) -> exp.Expr:
    """Returns a cast of a copy of ``node`` to a DuckDB type that gives NULL for what does not fit."""
    return exp.TryCast(this=node.copy(), to=exp.DataType.build(data_type, dialect="duckdb"))


def nothing(kind: Kind) -> exp.Expr:
    """Returns a NULL of a type."""
    return exp.Cast(this=exp.Null(), to=kind.copy())


def bracketed(node: exp.Expr) -> exp.Expr:
    """Returns a copy of ``node`` that keeps together beside any operator."""
    simple = (exp.Column, exp.Literal, exp.Anonymous, exp.Paren, exp.Null, exp.Boolean)
    return node.copy() if isinstance(node, simple) else exp.Paren(this=node.copy())
