"""Literals and the types that a query names."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.hive import without_zone
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.rule import refuse

_INTERVALS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")


def literal(node: exp.Literal) -> tuple[exp.Expr, Kind]:
    """Returns a literal in DuckDB's form and its Spark type: 1.5 is a decimal, 1e3 a double."""
    if node.is_string:
        return node, kinds.TEXT
    shown = node.name.upper()
    if "E" in shown:
        return node, kinds.DOUBLE
    if "." in shown:
        whole, _, fraction = shown.partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        kind = kinds.decimal(max(digits, len(fraction), 1), len(fraction))
        return exp.Cast(this=exp.Literal.string(shown), to=kind.copy()), kind
    value = int(shown)
    if value < 2**31:
        return node, kinds.INT
    if value < 2**63:
        return node, kinds.BIGINT
    kind = kinds.decimal(len(shown), 0)
    return exp.Cast(this=exp.Literal.string(shown), to=kind.copy()), kind


def target_of(node: exp.Cast) -> Kind:
    """Returns the type of a cast; lengths of text are left out, as in Spark."""
    target = without_zone(node.args["to"])
    if kinds.is_text(target):
        return kinds.TEXT
    if kinds.is_decimal(target):
        return kinds.decimal(*kinds.size_of(target))
    if target.this in Kind.FLOAT_TYPES or target.this == T.DOUBLE:
        return kinds.FLOAT if target.this == T.FLOAT else kinds.DOUBLE
    if node.args.get("format") is not None:
        raise refuse("CAST with a format")
    return kinds.kind(target.this) if not target.expressions else target


def interval(node: exp.Interval) -> exp.Expr:
    """Returns an interval literal of one unit.

    :raises QueryFailed: it has another form
    """
    unit = node.args.get("unit")
    name = unit.name.upper().rstrip("S") if isinstance(unit, exp.Var) else ""
    value = node.this
    if name not in _INTERVALS or not isinstance(value, exp.Literal) or not value.name.lstrip("+-").isdigit():
        raise refuse("INTERVAL of that form")
    return node
