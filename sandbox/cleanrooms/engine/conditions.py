"""Conditional expressions."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_boolean, converted
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import bracketed, call
from sandbox.cleanrooms.engine.predicates import compare
from sandbox.cleanrooms.engine.rule import Arguments, Rule, as_first, fixed, kind_of, refuse


def _shared(name: str) -> Rule:
    def kind(given: Arguments) -> Kind:
        return kinds.common([kind_of(one) for one in given], name)

    def build(given: Arguments) -> exp.Expr:
        return call(name.lower(), *(converted(one, kind(given)) for one in given))

    return Rule(kind, build, 1, 10000)


def _extreme(name: str) -> Rule:
    rule = _shared(name)

    def kind(given: Arguments) -> Kind:
        # Here text is not mixed with other types.
        found = [kind_of(one) for one in given]
        shared = found[0]
        for one in found[1:]:
            joined = kinds.tightest(shared, one)
            shared = joined if joined is not None else kinds.common([shared, one], name)
        return shared

    return Rule(kind, rule.build, 2, 10000)


def _choice(given: Arguments) -> Kind:
    return kinds.common([kind_of(one) for one in given[1:]], "IF")


def _chosen(condition: exp.Expr, first: exp.Expr, second: exp.Expr, kind: Kind) -> exp.Expr:
    branch = exp.If(this=condition, true=converted(first, kind))
    return exp.Case(ifs=[branch], default=converted(second, kind))


def _if(given: Arguments) -> exp.Expr:
    return _chosen(as_boolean(given[0]), given[1], given[2], _choice(given))


def _nvl2(given: Arguments) -> exp.Expr:
    present = exp.Not(this=exp.Is(this=bracketed(given[0]), expression=exp.Null()))
    return _chosen(present, given[1], given[2], _choice(given))


def _equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    node = exp.EQ(this=left.copy(), expression=right.copy())
    node.this.type, node.expression.type = kind_of(left), kind_of(right)
    return compare(node)[0]


def _nullif(given: Arguments) -> exp.Expr:
    branch = exp.If(this=_equal(given[0], given[1]), true=exp.Null())
    return exp.Case(ifs=[branch], default=given[0].copy())


def _is_null(given: Arguments) -> exp.Expr:
    return exp.Paren(this=exp.Is(this=bracketed(given[0]), expression=exp.Null()))


def _decoded_values(given: Arguments) -> list[exp.Expr]:
    rest = list(given[1:])
    return rest[1::2] + (rest[-1:] if len(rest) % 2 else [])


def _decode_kind(given: Arguments) -> Kind:
    if len(given) == 2:
        return kinds.TEXT
    return kinds.common([kind_of(one) for one in _decoded_values(given)], "DECODE")


def _decode(given: Arguments) -> exp.Expr:
    if len(given) == 2:
        if kind_of(given[0]).this != T.BINARY or given[1].name.upper() not in ("UTF-8", "UTF8"):
            raise refuse("DECODE of other bytes than UTF-8")
        return call("decode", given[0])
    kind, rest = _decode_kind(given), list(given[1:])
    branches = []
    for searched, value in zip(rest[::2], rest[1::2], strict=False):
        if kind_of(searched) != kind_of(given[0]) and not kinds.is_null(kind_of(searched)):
            raise refuse("DECODE of values of different types")
        same = exp.NullSafeEQ(this=bracketed(given[0]), expression=bracketed(searched))
        branches.append(exp.If(this=same, true=converted(value, kind)))
    default = converted(rest[-1], kind) if len(rest) % 2 else exp.Null()
    return exp.Case(ifs=branches, default=default)


def case(node: exp.Expr) -> tuple[exp.Expr, Kind]:
    """CASE, with or without a value to compare."""
    branches: list[exp.Expr] = node.args["ifs"]
    default = node.args.get("default")
    values = [one.args["true"] for one in branches] + ([default] if default is not None else [])
    kind = kinds.common([kind_of(one) for one in values], "CASE")
    changed = [
        exp.If(
            this=_equal(node.this, one.this) if node.this is not None else as_boolean(one.this),
            true=converted(one.args["true"], kind),
        )
        for one in branches
    ]
    return exp.Case(ifs=changed, default=converted(default, kind) if default is not None else None), kind


_IF = Rule(_choice, _if, 3, 3)
_COALESCE = _shared("COALESCE")
CONDITIONS: dict[str, Rule] = {
    "COALESCE": _COALESCE,
    "DECODE": Rule(_decode_kind, _decode, 2, 10000),
    "GREATEST": _extreme("GREATEST"),
    "IF": _IF,
    "IFNULL": _COALESCE,
    "ISNOTNULL": Rule(fixed(kinds.BOOLEAN), lambda given: exp.Paren(this=exp.Not(this=_is_null(given)))),
    "ISNULL": Rule(fixed(kinds.BOOLEAN), _is_null),
    "LEAST": _extreme("LEAST"),
    "NULLIF": Rule(as_first, _nullif, 2, 2),
    "NVL": _COALESCE,
    "NVL2": Rule(_choice, _nvl2, 3, 3),
}
