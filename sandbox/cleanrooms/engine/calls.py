"""Calls of aggregate and window functions, with what stands around them: DISTINCT, FILTER, OVER, IGNORE NULLS."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.aggregates import Aggregate, count_distinct
from sandbox.cleanrooms.engine.kinds import Kind
from sandbox.cleanrooms.engine.nodes import bracketed, call
from sandbox.cleanrooms.engine.rule import kind_of, refuse

_ROUND = (exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
_EDGES = ("FIRST", "LAST", "FIRST_VALUE", "LAST_VALUE", "ANY_VALUE")
_AVERAGES = ("AVG", "MEAN")


def aggregated(node: exp.Anonymous, rule: Aggregate, *, exact: bool) -> tuple[exp.Expr, Kind]:
    """Returns a call's DuckDB form and type; what is done around it waits in the outermost node's meta.

    :param exact: whether averages of decimals are computed from sum and count
    :raises QueryFailed: Spark does not take it there, or the sandbox does not
    """
    name, given = node.name.upper(), node.expressions
    distinct = bool(given) and isinstance(given[0], exp.Distinct)
    if distinct:
        given = given[0].expressions
    whole, ignoring = _surroundings(node)
    windowed = isinstance(whole, exp.Window)
    if name == "COUNT" and len(given) == 1 and isinstance(given[0], exp.Star):
        return exp.Count(this=exp.Star()), kinds.BIGINT
    if name == "COUNT" and distinct and len(given) > 1:
        return count_distinct(given), kinds.BIGINT
    if not rule.least <= len(given) <= rule.most:
        raise refuse(f"{name} with {len(given)} arguments")
    lost = rule.only_window and not windowed
    if lost or (distinct and not rule.distinct) or (rule.plain and whole is not node):
        raise refuse(f"{name} in that place")
    if name in _EDGES:
        ignoring = ignoring or (len(given) > 1 and given[1].sql().upper() == "TRUE")
        return _edge(given, core=rule.core(given), whole=whole, windowed=windowed, ignoring=ignoring)
    core = rule.core(given)
    if distinct:
        core.set("this", exp.Distinct(expressions=[core.this.copy()]))
    around = rule.around(given)
    if around is not None and (exact or name not in _AVERAGES):
        whole.meta.setdefault("around", []).append(around)
    if rule.drops_nulls:
        core = _present_only(core, given[0])
    return core, rule.kind(given)


def _surroundings(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """The outermost of OVER, FILTER and IGNORE NULLS around a call, and whether the last is among them."""
    whole, ignoring = node, False
    while isinstance(whole.parent, _ROUND) and whole.parent.this is whole:
        whole = whole.parent
        ignoring = ignoring or isinstance(whole, exp.IgnoreNulls)
    return whole, ignoring


def _present_only(core: exp.Expr, value: exp.Expr) -> exp.Expr:
    present = exp.Not(this=exp.Is(this=bracketed(value), expression=exp.Null()))
    return exp.Filter(this=core, expression=exp.Where(this=present))


def _edge(
    given: list[exp.Expr], *, core: exp.Expr, whole: exp.Expr, windowed: bool, ignoring: bool
) -> tuple[exp.Expr, Kind]:
    """FIRST and LAST: of a window's frame, or of any row."""
    kind, name = kind_of(given[0]), core.name
    if windowed:
        core = {"first": exp.FirstValue, "last": exp.LastValue}[name](this=given[0].copy())
        if ignoring and not isinstance(whole.this, exp.IgnoreNulls):
            core = exp.IgnoreNulls(this=core)
    elif ignoring and name == "last":
        raise refuse("LAST with IGNORE NULLS outside a window")
    elif ignoring:
        for node in whole.find_all(exp.IgnoreNulls):
            node.meta["around"] = [lambda outcome: outcome.this]
        core = call("any_value", given[0])
    return core, kind
