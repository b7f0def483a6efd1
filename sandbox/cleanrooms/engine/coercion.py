"""How values of one type are read as another: casts, and comparisons of text with numbers or dates."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine.functions import refuse
from sandbox.cleanrooms.engine.hive import without_zone
from sandbox.cleanrooms.engine.nodes import call, cast_to, is_a, is_text

Type = exp.DataType.Type


def _comparable(value: exp.Expr, other: exp.Expr) -> exp.Expr:
    """Text that is compared with a number or a date is read as one, as in Spark."""
    if not is_text(value):
        return value.copy()
    if other.is_type(Type.DATE):
        return call("spark_date", value)
    if is_a(other, exp.DataType.TEMPORAL_TYPES):
        return exp.TryCast(this=value.copy(), to=exp.DataType.build("TIMESTAMP"))
    if is_a(other, exp.DataType.INTEGER_TYPES):
        return call("spark_integer", value)
    if is_a(other, exp.DataType.REAL_TYPES):
        return call("spark_double", value)
    return value.copy()


def compare(node: exp.Expr) -> exp.Expr:
    """Rewrites a comparison of two values."""
    left, right = _comparable(node.this, node.expression), _comparable(node.expression, node.this)
    return type(node)(this=left, expression=right)


def between(node: exp.Expr) -> exp.Expr:
    """Rewrites BETWEEN."""
    low, high = node.args["low"], node.args["high"]
    value = low if is_text(node.this) else node.this
    return exp.Between(
        this=_comparable(node.this, value),
        low=_comparable(low, node.this),
        high=_comparable(high, node.this),
    )


def among(node: exp.Expr) -> exp.Expr:
    """Rewrites IN with a list of values."""
    items = node.expressions
    if not items:
        return node
    return exp.In(
        this=_comparable(node.this, items[0]),
        expressions=[_comparable(item, node.this) for item in items],
    )


def timestamp(node: exp.Expr) -> exp.Expr:
    """Rewrites the reading of a timestamp."""
    return exp.TryCast(this=node.this.copy(), to=exp.DataType.build("TIMESTAMP"))


def cast(node: exp.Expr) -> exp.Expr:
    """Rewrites a cast: what does not fit becomes NULL, as in Spark outside its ANSI mode."""
    target = without_zone(node.args["to"])
    value = node.this.copy()
    if target.is_type(*exp.DataType.TEXT_TYPES):
        if is_a(node.this, exp.DataType.REAL_TYPES) and not node.this.is_type(Type.DECIMAL):
            raise refuse("CAST of a DOUBLE to text")
        target = exp.DataType.build("VARCHAR")
    elif target.is_type(*exp.DataType.INTEGER_TYPES):
        if is_text(node.this):
            value = call("spark_integer", value)
        elif is_a(node.this, exp.DataType.REAL_TYPES):
            value = call("trunc", value)
    elif is_text(node.this):
        if target.is_type(Type.DATE):
            value = call("spark_date", value)
        elif target.is_type(Type.DOUBLE, Type.FLOAT):
            value = call("spark_double", value)
        elif target.is_type(Type.BOOLEAN):
            value = call("spark_boolean", value)
    return exp.TryCast(this=value, to=target)


def dated(node: exp.Expr) -> exp.Expr:
    """Returns a value as a date."""
    return call("spark_date", node) if is_text(node) else cast_to(node, "DATE")
