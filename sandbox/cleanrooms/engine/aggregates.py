"""Aggregate and window functions.

An aggregate is built in two steps: the DuckDB aggregate, which OVER and FILTER attach to, and what is done
with its result around them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_boolean, as_double, as_int, converted, engine_name
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import call, cast_to, number, try_cast_to
from sandbox.cleanrooms.engine.operators import from_units
from sandbox.cleanrooms.engine.rule import Arguments, KindOf, constant, fixed, kind_of, refuse

Wrap = Callable[[exp.Expr], exp.Expr]


@dataclass(frozen=True)
class Aggregate:
    """One aggregate or window function.

    :param kind: the result's type
    :param core: the DuckDB aggregate of the arguments
    :param around: what is done with the whole
    :param only_window: whether OVER has to follow
    :param plain: whether neither OVER nor FILTER may follow
    :param distinct: whether DISTINCT may stand before the argument
    """

    kind: KindOf
    core: Callable[[Arguments], exp.Expr]
    around: Callable[[Arguments], Wrap | None] = lambda given: None
    least: int = 1
    most: int = 1
    only_window: bool = False
    plain: bool = False
    distinct: bool = False
    drops_nulls: bool = False


def _number(given: Arguments, name: str) -> Kind:
    kind = kind_of(given[0])
    if kinds.is_text(kind) or kinds.is_null(kind):
        return kinds.DOUBLE
    if not kinds.is_number(kind):
        raise kinds.unfit(name)
    return kind


def _sum_kind(given: Arguments) -> Kind:
    kind = _number(given, "SUM")
    if kinds.is_decimal(kind):
        precision, scale = kinds.size_of(kind)
        return kinds.decimal(precision + 10, scale)
    return kinds.BIGINT if kinds.is_integer(kind) else kinds.DOUBLE


def _sum(given: Arguments) -> exp.Expr:
    kind = _number(given, "SUM")
    value = as_double(given[0]) if kinds.is_real(kind) else given[0].copy()
    return exp.Sum(this=value)


def _around_sum(given: Arguments) -> Wrap | None:
    kind = _sum_kind(given)
    if kind.this == T.BIGINT:
        return lambda whole: call("spark_wrap_64", whole)
    return (lambda whole: try_cast_to(whole, engine_name(kind))) if kinds.is_decimal(kind) else None


def _average_kind(given: Arguments) -> Kind:
    kind = _number(given, "AVG")
    if kinds.is_decimal(kind):
        precision, scale = kinds.size_of(kind)
        return kinds.decimal(precision + 4, scale + 4)
    return kinds.DOUBLE


def _average(given: Arguments) -> exp.Expr:
    kind = _number(given, "AVG")
    return exp.Avg(this=given[0].copy() if kinds.is_decimal(kind) else as_double(given[0]))


def _around_average(given: Arguments) -> Wrap | None:
    kind = _average_kind(given)
    if not kinds.is_decimal(kind):
        return None
    scale = kinds.size_of(kind_of(given[0]))[1]

    def around(whole: exp.Expr) -> exp.Expr:
        # DuckDB's own average is a double: the exact one is the sum's units by the count.
        total, count = (_as_form(whole, form) for form in (exp.Sum, exp.Count))
        units = exp.Mul(this=call("spark_units", total, number(scale)), expression=number(10**4))
        return from_units(call("spark_divide_units", units, count), scale + 4, kind)

    return around


def _as_form(whole: exp.Expr, form: type[exp.Expr]) -> exp.Expr:
    return whole.copy().transform(
        lambda node: form(this=node.this.copy()) if isinstance(node, exp.Avg) else node
    )


def _spread(form: type[exp.Expr]) -> Aggregate:
    return Aggregate(fixed(kinds.DOUBLE), lambda given: form(this=as_double(given[0])), distinct=True)


def _first_kind(given: Arguments) -> Kind:
    return kind_of(given[0])


def _ordered(form: type[exp.Expr], name: str) -> Aggregate:
    def core(given: Arguments) -> exp.Expr:
        if kinds.is_nested(kind_of(given[0])):
            raise refuse(f"{name} of {kinds.shown(kind_of(given[0]))}")
        return form(this=given[0].copy())

    return Aggregate(_first_kind, core, distinct=True)


def _count(given: Arguments) -> exp.Expr:
    if len(given) == 1:
        return exp.Count(this=given[0].copy())
    missing = exp.or_(*(exp.Is(this=exp.Paren(this=one.copy()), expression=exp.Null()) for one in given))
    return exp.Count(
        this=exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=exp.Literal.number(1))
    )


def count_distinct(given: Arguments) -> exp.Expr:
    """COUNT(DISTINCT a, b, ...): rows with a NULL do not count."""
    missing = exp.or_(*(exp.Is(this=exp.Paren(this=one.copy()), expression=exp.Null()) for one in given))
    row = exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=call("row", *given))
    return exp.Count(this=exp.Distinct(expressions=[row]))


def _percentages(node: exp.Expr, name: str) -> list[str]:
    items = (
        node.expressions if isinstance(node, exp.Anonymous) and node.name.upper() == "LIST_VALUE" else None
    )
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Anonymous):
        return [constant(_uncast(one), name) for one in node.this.expressions]
    return [constant(_uncast(one), name) for one in items] if items else [constant(_uncast(node), name)]


def _uncast(node: exp.Expr) -> exp.Expr:
    while isinstance(node, (exp.Cast, exp.TryCast, exp.Paren)):
        node = node.this
    return node


def _quantile(name: str, function: str) -> Callable[[Arguments], exp.Expr]:
    def core(given: Arguments) -> exp.Expr:
        shares = _percentages(given[1], f"{name} with a percentage")
        value = as_double(given[0]) if function == "quantile_cont" else given[0].copy()
        if any(not 0 <= float(share) <= 1 for share in shares):
            raise refuse(f"{name} with a percentage beyond 0 and 1")
        if kind_of(given[1]).this != T.ARRAY:
            return call(function, value, exp.Literal.number(shares[0]))
        return call(function, value, call("list_value", *(exp.Literal.number(share) for share in shares)))

    return core


def _exact_kind(given: Arguments) -> Kind:
    return kinds.array(kinds.DOUBLE) if kind_of(given[1]).this == T.ARRAY else kinds.DOUBLE


def _approximate_kind(given: Arguments) -> Kind:
    kind = kind_of(given[0])
    if not kinds.is_number(kind) and not kinds.is_time(kind):
        raise kinds.unfit("APPROX_PERCENTILE")
    return kinds.array(kind) if kind_of(given[1]).this == T.ARRAY else kind


def _boolean(form: type[exp.Expr]) -> Aggregate:
    return Aggregate(fixed(kinds.BOOLEAN), lambda given: form(this=as_boolean(given[0])))


def _collected(given: Arguments) -> Wrap:
    empty = engine_name(kinds.array(kind_of(given[0])))
    return lambda whole: call("coalesce", whole, cast_to(call("list_value"), empty))


def _list(distinct: bool) -> Callable[[Arguments], exp.Expr]:
    def core(given: Arguments) -> exp.Expr:
        value = given[0].copy()
        if distinct and kinds.is_real(kind_of(given[0])):
            raise refuse("COLLECT_SET of doubles")
        return exp.Anonymous(
            this="list", expressions=[exp.Distinct(expressions=[value]) if distinct else value]
        )

    return core


def _ranking(name: str, kind: Kind) -> Aggregate:
    return Aggregate(fixed(kind), lambda given: call(name), least=0, most=0, only_window=True)


def _shifted(form: type[exp.Expr]) -> Aggregate:
    def core(given: Arguments) -> exp.Expr:
        offset = as_int(given[1]) if len(given) > 1 else None
        default = converted(given[2], kind_of(given[0])) if len(given) > 2 else None
        return form(this=given[0].copy(), offset=offset, default=default)

    return Aggregate(_first_kind, core, least=1, most=3, only_window=True)


def _edge(name: str) -> Aggregate:
    def core(given: Arguments) -> exp.Expr:
        return exp.Anonymous(this=name, expressions=[given[0].copy()])

    return Aggregate(_first_kind, core, most=2)


_PERCENTILE = Aggregate(_exact_kind, _quantile("PERCENTILE", "quantile_cont"), least=2, most=2)
_APPROXIMATE = Aggregate(_approximate_kind, _quantile("APPROX_PERCENTILE", "quantile_disc"), least=2, most=3)
_ALL, _ANY = _boolean(exp.LogicalAnd), _boolean(exp.LogicalOr)
_SAMPLED = _spread(exp.StddevSamp)
_VARIANCE = _spread(exp.Variance)
AGGREGATES: dict[str, Aggregate] = {
    "ANY_VALUE": _edge("first"),
    "APPROX_COUNT_DISTINCT": Aggregate(
        fixed(kinds.BIGINT), lambda given: exp.Count(this=exp.Distinct(expressions=[given[0].copy()])), most=2
    ),
    "APPROX_PERCENTILE": _APPROXIMATE,
    "ARRAY_AGG": Aggregate(
        lambda given: kinds.array(kind_of(given[0])), _list(False), _collected, drops_nulls=True, plain=True
    ),
    "AVG": Aggregate(_average_kind, _average, _around_average, distinct=True),
    "BOOL_AND": _ALL,
    "BOOL_OR": _ANY,
    "COLLECT_LIST": Aggregate(
        lambda given: kinds.array(kind_of(given[0])), _list(False), _collected, drops_nulls=True, plain=True
    ),
    "COLLECT_SET": Aggregate(
        lambda given: kinds.array(kind_of(given[0])), _list(True), _collected, drops_nulls=True, plain=True
    ),
    "COUNT": Aggregate(fixed(kinds.BIGINT), _count, most=1000, distinct=True),
    "COUNT_IF": Aggregate(fixed(kinds.BIGINT), lambda given: call("count_if", as_boolean(given[0]))),
    "CUME_DIST": _ranking("cume_dist", kinds.DOUBLE),
    "DENSE_RANK": _ranking("dense_rank", kinds.INT),
    "EVERY": _ALL,
    "FIRST": _edge("first"),
    "FIRST_VALUE": _edge("first"),
    "LAG": _shifted(exp.Lag),
    "LAST": _edge("last"),
    "LAST_VALUE": _edge("last"),
    "LEAD": _shifted(exp.Lead),
    "MAX": _ordered(exp.Max, "MAX"),
    "MEAN": Aggregate(_average_kind, _average, _around_average, distinct=True),
    "MEDIAN": Aggregate(
        fixed(kinds.DOUBLE),
        lambda given: call("quantile_cont", as_double(given[0]), exp.Literal.number("0.5")),
    ),
    "MIN": _ordered(exp.Min, "MIN"),
    "NTILE": Aggregate(fixed(kinds.INT), lambda given: call("ntile", as_int(given[0])), only_window=True),
    "PERCENTILE": _PERCENTILE,
    "PERCENTILE_APPROX": _APPROXIMATE,
    "PERCENT_RANK": _ranking("percent_rank", kinds.DOUBLE),
    "RANK": _ranking("rank", kinds.INT),
    "ROW_NUMBER": _ranking("row_number", kinds.INT),
    "SKEWNESS": Aggregate(
        fixed(kinds.DOUBLE), lambda given: call("spark_skewness", as_double(given[0])), plain=True
    ),
    "SOME": _ANY,
    "STDDEV": _SAMPLED,
    "STDDEV_POP": _spread(exp.StddevPop),
    "STDDEV_SAMP": _SAMPLED,
    "SUM": Aggregate(_sum_kind, _sum, _around_sum, distinct=True),
    "VARIANCE": _VARIANCE,
    "VAR_POP": _spread(exp.VariancePop),
    "VAR_SAMP": _VARIANCE,
}
