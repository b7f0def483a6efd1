"""The functions that a query may use: those whose results agree with Spark's, under their documented names.

A function that is not named here is refused by name rather than run with another meaning.
docs/spark-functions.md lists the functions of the service's reference and what is missing.
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine.conditions import CONDITIONS
from sandbox.cleanrooms.engine.dates import DATES
from sandbox.cleanrooms.engine.nested import COLLECTIONS
from sandbox.cleanrooms.engine.numbers import NUMBERS
from sandbox.cleanrooms.engine.rule import Rule
from sandbox.cleanrooms.engine.texts import TEXTS

FUNCTIONS: dict[str, Rule] = {**CONDITIONS, **DATES, **NUMBERS, **COLLECTIONS, **TEXTS}

# Nodes that the parser makes of syntax or of names, and which arguments they hold in which order.
_NAMED: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.ApproxQuantile: ("APPROX_PERCENTILE", ("this", "quantile", "accuracy")),
    exp.ArgMax: ("MAX_BY", ("this", "expression")),
    exp.ArgMin: ("MIN_BY", ("this", "expression")),
    exp.Ceil: ("CEIL", ("this", "decimals")),
    exp.Chr: ("CHR", ("expressions",)),
    exp.CurrentDate: ("CURRENT_DATE", ()),
    exp.CurrentTimestamp: ("CURRENT_TIMESTAMP", ()),
    exp.Decode: ("DECODE", ("this", "charset")),
    exp.DecodeCase: ("DECODE", ("expressions",)),
    exp.Floor: ("FLOOR", ("this", "decimals")),
    exp.GroupConcat: ("LISTAGG", ("this", "separator")),
    exp.If: ("IF", ("this", "true", "false")),
    exp.Initcap: ("INITCAP", ("this",)),
    exp.Overlay: ("OVERLAY", ("this", "expression", "from_", "for_")),
    exp.Quantile: ("PERCENTILE", ("this", "quantile")),
    exp.RegexpLike: ("REGEXP_LIKE", ("this", "expression")),
    exp.StrPosition: ("LOCATE", ("substr", "this", "position")),
    exp.Substring: ("SUBSTRING", ("this", "start", "length")),
}
_SIDES = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}


def by_name(node: exp.Expr) -> exp.Expr:
    """Returns a function's node as a call of its documented name; others as they are."""
    if isinstance(node, exp.If) and isinstance(node.parent, exp.Case):
        return node
    if isinstance(node, exp.Trim):
        side = _SIDES.get(str(node.args.get("position") or "").upper(), "BTRIM")
        return _called(side, [node.this, *([node.expression] if node.expression else [])])
    if isinstance(node, exp.Extract):
        return _called("EXTRACT", [exp.Literal.string(node.name), node.expression])
    if type(node) not in _NAMED:
        return node
    name, parts = _NAMED[type(node)]
    arguments: list[exp.Expr] = []
    for part in parts:
        given = node.args.get(part)
        arguments += given if isinstance(given, list) else [given] if given is not None else []
    return _called(name, arguments)


def _called(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=arguments)


def name_of(node: exp.Expr) -> str:
    """Returns the name under which a person knows a function."""
    if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
        return node.name.upper()
    if isinstance(node, exp.Func):
        return node.sql_name()
    return type(node).__name__.upper()
