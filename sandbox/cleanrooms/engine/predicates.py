"""Comparisons, conditions and pattern matching, and the table of all operators."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_boolean, as_text, converted
from sandbox.cleanrooms.engine.kinds import Kind
from sandbox.cleanrooms.engine.nodes import bracketed
from sandbox.cleanrooms.engine.operators import (
    Typed,
    arithmetic,
    division,
    joined,
    negation,
    remainder,
    whole_division,
)
from sandbox.cleanrooms.engine.rule import kind_of, refuse


def compare(node: exp.Expr) -> Typed:
    """A comparison of two values as of the type that Spark gives both."""
    left, right = node.this, node.expression
    shared = kinds.compared(kind_of(left), kind_of(right), node.key.upper())
    sides = [bracketed(converted(side, shared)) for side in (left, right)]
    return type(node)(this=sides[0], expression=sides[1]), kinds.BOOLEAN


def null_safe(node: exp.Expr) -> Typed:
    """``<=>`` and IS NOT DISTINCT FROM."""
    plain = exp.EQ(this=node.this.copy(), expression=node.expression.copy())
    for side, name in ((node.this, "this"), (node.expression, "expression")):
        plain.args[name].type = kind_of(side)
    compared, kind = compare(plain)
    form = exp.NullSafeNEQ if isinstance(node, exp.NullSafeNEQ) else exp.NullSafeEQ
    return exp.Paren(this=form(this=compared.this, expression=compared.expression)), kind


def between(node: exp.Expr) -> Typed:
    """BETWEEN: two comparisons, each as of its own type."""
    value, low, high = node.this, node.args["low"], node.args["high"]
    parts = []
    for form, bound in ((exp.GTE, low), (exp.LTE, high)):
        shared = kinds.compared(kind_of(value), kind_of(bound), "BETWEEN")
        parts.append(
            form(this=bracketed(converted(value, shared)), expression=bracketed(converted(bound, shared)))
        )
    return exp.Paren(this=exp.And(this=parts[0], expression=parts[1])), kinds.BOOLEAN


def among(node: exp.Expr, selected: Kind | None) -> Typed:
    """IN, with a list or a query whose column has the type ``selected``."""
    if selected is not None:
        if kinds.compared(kind_of(node.this), selected, "IN") not in (kind_of(node.this), kinds.TEXT) or (
            kind_of(node.this) != selected
        ):
            raise refuse("IN with a query whose column has another type")
        return node.copy(), kinds.BOOLEAN
    items = node.expressions
    shared = kinds.common([kind_of(one) for one in (node.this, *items)], "IN")
    changed = exp.In(
        this=bracketed(converted(node.this, shared)), expressions=[converted(one, shared) for one in items]
    )
    return changed, kinds.BOOLEAN


def logic(node: exp.Expr) -> Typed:
    """AND, OR. Long chains of conditions stay as they are: each copy would copy all before it."""
    if all(kind_of(side) == kinds.BOOLEAN for side in (node.this, node.expression)):
        return node, kinds.BOOLEAN
    sides = [bracketed(as_boolean(side)) for side in (node.this, node.expression)]
    return exp.Paren(this=type(node)(this=sides[0], expression=sides[1])), kinds.BOOLEAN


def inverse(node: exp.Expr) -> Typed:
    """NOT."""
    return exp.Paren(this=exp.Not(this=bracketed(as_boolean(node.this)))), kinds.BOOLEAN


def being(node: exp.Expr) -> Typed:
    """IS [NOT] NULL, TRUE, FALSE."""
    value = node.this
    if not isinstance(node.expression, exp.Null):
        value = as_boolean(value)
    changed = node.copy()
    changed.set("this", bracketed(value))
    return exp.Paren(this=changed), kinds.BOOLEAN


def like(node: exp.Expr, escape: str = "\\") -> Typed:
    """LIKE and ILIKE with a literal pattern; Spark escapes by a backslash."""
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise refuse(f"{node.key.upper()} with a pattern that is not a literal")
    _check_escapes(pattern.name, escape)
    if isinstance(node, exp.ILike) and not pattern.name.isascii():
        raise refuse("ILIKE with letters beyond ASCII")
    changed = node.copy()
    changed.set("this", bracketed(as_text(node.this)))
    changed.set("negate", None)
    escaped: exp.Expr = exp.Escape(this=changed, expression=exp.Literal.string(escape))
    if node.args.get("negate"):
        escaped = exp.Not(this=exp.Paren(this=escaped))
    return exp.Paren(this=escaped), kinds.BOOLEAN


def _check_escapes(pattern: str, escape: str) -> None:
    at = 0
    while at < len(pattern):
        if pattern[at] == escape:
            if pattern[at + 1 : at + 2] not in ("_", "%", escape):
                raise refuse("LIKE with an escape before another letter")
            at += 1
        at += 1


Rewrite = Callable[[exp.Expr], Typed]
OPERATORS: dict[type[exp.Expr], Rewrite] = {
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), arithmetic),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), compare),
    **dict.fromkeys((exp.And, exp.Or), logic),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), null_safe),
    exp.Between: between,
    exp.Div: division,
    exp.DPipe: joined,
    exp.IntDiv: whole_division,
    exp.Is: being,
    exp.Mod: remainder,
    exp.Neg: negation,
    exp.Not: inverse,
}
