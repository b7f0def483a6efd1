"""How values of one type become values of another: Spark's casts outside ANSI mode, in DuckDB's words."""

from __future__ import annotations

import datetime as dt
import re

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import call, cast_to, nothing, number, try_cast_to
from sandbox.cleanrooms.engine.rule import kind_of, refuse

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")
_WIDTHS = {T.TINYINT: "TINYINT", T.SMALLINT: "SMALLINT", T.INT: "INTEGER", T.BIGINT: "BIGINT"}


def engine_name(kind: Kind) -> str:
    """Returns the name of a Spark type in DuckDB."""
    if kinds.is_null(kind):
        return "VARCHAR"  # as the worker writes a column of NULLs
    return kind.sql("duckdb")


def converted(node: exp.Expr, target: Kind, source: Kind | None = None) -> exp.Expr:
    """Returns ``node``, in DuckDB's form, as a value of another type.

    :param source: its Spark type, unless the node carries it
    :raises QueryFailed: Spark does not convert it, or the sandbox does not do it Spark's way
    """
    source = source or kind_of(node)
    if source == target or (kinds.is_text(source) and kinds.is_text(target)):
        return node.copy()
    if kinds.is_null(source):
        return exp.Cast(this=node.copy(), to=target.copy())
    if kinds.is_text(target):
        return _to_text(node, source)
    if kinds.is_integer(target):
        return _to_integer(node, source, target)
    if kinds.is_decimal(target):
        return _to_decimal(node, source, target)
    for wanted, convert in ((kinds.is_real, _to_real), (kinds.is_time, _to_time)):
        if wanted(target):
            return convert(node, source, target)
    if target.this == T.BOOLEAN:
        return _to_boolean(node, source)
    if target.this == T.BINARY and kinds.is_text(source):
        return call("encode", node)
    raise _unknown(source, target)


def _unknown(source: Kind, target: Kind) -> Exception:
    return refuse(f"CAST of {kinds.shown(source)} to {kinds.shown(target)}")


def _to_text(node: exp.Expr, source: Kind) -> exp.Expr:
    if kinds.is_decimal(source):
        precision, scale = kinds.size_of(source)
        if precision == scale:  # DuckDB leaves out the zero before the point
            if precision == 38:
                raise _unknown(source, kinds.TEXT)
            node = cast_to(node, engine_name(kinds.decimal(precision + 1, scale)))
        return call("spark_decimal_text", node, number(scale)) if scale > 6 else cast_to(node, "VARCHAR")
    if kinds.is_integer(source) or source.this == T.BOOLEAN:
        return cast_to(node, "VARCHAR")
    if source.this == T.DATE:
        return call("spark_date_text", node)
    if source.this == T.TIMESTAMP:
        return call("spark_timestamp_text", node)
    if source.this == T.BINARY:
        return call("decode", node)
    raise _unknown(source, kinds.TEXT)


def _to_integer(node: exp.Expr, source: Kind, target: Kind) -> exp.Expr:
    name, width = _WIDTHS[target.this], kinds.bits(target)
    if kinds.is_text(source):
        return try_cast_to(call("spark_integer", node), name)
    if source.this == T.BOOLEAN:
        return cast_to(node, name)
    if kinds.is_integer(source):
        return node.copy() if kinds.bits(source) <= width else call(f"spark_wrap_{width}", node)
    if kinds.is_decimal(source):
        whole = call("spark_wrap_64", call("trunc", node))
        return whole if width == 64 else call(f"spark_wrap_{width}", whole)
    if kinds.is_real(source):
        if width == 64:
            return call("spark_real_to_64", node)
        shortened = call("spark_real_to_32", node)
        return shortened if width == 32 else call(f"spark_wrap_{width}", shortened)
    if source.this == T.TIMESTAMP:
        return call(f"spark_wrap_{width}", call("spark_seconds", node))
    if source.this == T.DATE:
        return nothing(target)
    raise _unknown(source, target)


def _to_decimal(node: exp.Expr, source: Kind, target: Kind) -> exp.Expr:
    name = engine_name(target)
    if kinds.is_text(source):
        return try_cast_to(call("spark_decimal_digits", node), name)
    if kinds.is_decimal(source) or kinds.is_integer(source):
        return try_cast_to(node, name)
    if source.this == T.BOOLEAN:
        return try_cast_to(cast_to(node, "INTEGER"), name)
    if kinds.is_real(source):
        return try_cast_to(cast_to(cast_to(node, "DOUBLE"), "VARCHAR"), name)
    if source.this == T.DATE:
        return nothing(target)
    raise _unknown(source, target)


def _to_real(node: exp.Expr, source: Kind, target: Kind) -> exp.Expr:
    name = engine_name(target)
    if kinds.is_text(source):
        return cast_to(call("spark_double", node), name)
    if kinds.is_number(source):
        return cast_to(node, name)
    if source.this == T.BOOLEAN:
        return cast_to(cast_to(node, "INTEGER"), name)
    if source.this == T.TIMESTAMP:
        return cast_to(call("spark_exact_seconds", node), name)
    if source.this == T.DATE:
        return nothing(target)
    raise _unknown(source, target)


def _to_time(node: exp.Expr, source: Kind, target: Kind) -> exp.Expr:
    name = engine_name(target)
    if kinds.is_text(source) and _is_plain_moment(node, target):
        return cast_to(node, name)  # a constant, by which DuckDB can leave out row groups
    if kinds.is_text(source):
        return call("spark_date" if target.this == T.DATE else "spark_timestamp", node)
    if kinds.is_time(source):
        return cast_to(node, name)
    if target.this == T.TIMESTAMP and kinds.is_integer(source):
        return call("spark_moment", node)
    if target.this == T.TIMESTAMP and kinds.is_real(source):
        return call("spark_real_moment", node)
    raise _unknown(source, target)


def _is_plain_moment(node: exp.Expr, target: Kind) -> bool:
    """Whether a literal is a date, or a timestamp without a zone, in full ISO form."""
    form = _DATE if target.this == T.DATE else _TIMESTAMP
    if not isinstance(node, exp.Literal) or not form.fullmatch(node.name):
        return False
    try:
        dt.datetime.fromisoformat(node.name)
    except ValueError:
        return False
    return True


def _to_boolean(node: exp.Expr, source: Kind) -> exp.Expr:
    if kinds.is_text(source):
        return call("spark_boolean", node)
    if kinds.is_number(source):
        return exp.Paren(this=exp.NEQ(this=node.copy(), expression=exp.Literal.number(0)))
    if source.this == T.DATE:
        return nothing(kinds.BOOLEAN)
    raise _unknown(source, kinds.BOOLEAN)


def as_text(node: exp.Expr) -> exp.Expr:
    """Returns a value as text, as Spark's functions of text take it."""
    return converted(node, kinds.TEXT)


def as_double(node: exp.Expr) -> exp.Expr:
    """Returns a value as a double, as Spark's mathematical functions take it."""
    return converted(node, kinds.DOUBLE)


def as_int(node: exp.Expr) -> exp.Expr:
    """Returns a value as an INT, as Spark's functions take positions and lengths."""
    return converted(node, kinds.INT)


def as_date(node: exp.Expr) -> exp.Expr:
    """Returns a value as a date."""
    return converted(node, kinds.DATE)


def as_timestamp(node: exp.Expr) -> exp.Expr:
    """Returns a value as a timestamp."""
    return converted(node, kinds.TIMESTAMP)


def as_boolean(node: exp.Expr) -> exp.Expr:
    """Returns a condition.

    :raises QueryFailed: the value is none; Spark does not convert numbers here
    """
    if (
        not kinds.is_null(kind_of(node))
        and kind_of(node).this != T.BOOLEAN
        and not kinds.is_text(kind_of(node))
    ):
        raise kinds.unfit("a condition")
    return converted(node, kinds.BOOLEAN)
