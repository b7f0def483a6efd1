"""Mathematical functions."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_double, converted, engine_name
from sandbox.cleanrooms.engine.dates import truncated_date
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import call, cast_to, number, try_cast_to
from sandbox.cleanrooms.engine.operators import negation, remainder
from sandbox.cleanrooms.engine.rule import Arguments, Rule, fixed, kind_of, refuse, whole


def _of_doubles(name: str, most: int = 1) -> Rule:
    return Rule(fixed(kinds.DOUBLE), lambda given: call(name, *map(as_double, given)), most, most)


def _numeric(given: Arguments) -> Kind:
    kind = kind_of(given[0])
    if kinds.is_text(kind) or kinds.is_null(kind):
        return kinds.DOUBLE
    if not kinds.is_number(kind):
        raise kinds.unfit("a function of numbers")
    return kind


def _value(given: Arguments) -> exp.Expr:
    return converted(given[0], _numeric(given))


def _abs(given: Arguments) -> exp.Expr:
    kind, value = _numeric(given), _value(given)
    if kinds.is_integer(kind):
        return call(f"spark_wrap_{kinds.bits(kind)}", call("abs", cast_to(value, "HUGEINT")))
    return call("abs", value)


def _rounded_kind(given: Arguments) -> Kind:
    kind = _numeric(given)
    if not kinds.is_decimal(kind):
        return kind
    precision, scale = kinds.size_of(kind)
    digits = whole(given[1], "ROUND with digits") if len(given) > 1 else 0
    least = precision - scale + 1
    if digits < 0:
        return kinds.decimal(max(least, -digits + 1), 0)
    return kinds.decimal(least + min(scale, digits), min(scale, digits))


def _rounded(given: Arguments) -> exp.Expr:
    kind, value = _numeric(given), _value(given)
    digits = whole(given[1], "ROUND with digits") if len(given) > 1 else 0
    if kinds.is_decimal(kind):
        if digits < 0:
            raise refuse("ROUND of a decimal to negative digits")
        return try_cast_to(value, engine_name(_rounded_kind(given)))
    if kinds.is_integer(kind):
        if digits >= 0:
            return value
        wide = call("spark_round_whole", cast_to(value, "HUGEINT"), cast_to(number(10**-digits), "HUGEINT"))
        if -digits > 18:
            raise refuse("ROUND to that many digits")
        return call(f"spark_wrap_{kinds.bits(kind)}", wide)
    if kind.this == T.FLOAT:
        raise refuse("ROUND of a FLOAT")
    if not -15 <= digits <= 15:
        raise refuse("ROUND to that many digits")
    return call("spark_round", value, number(digits))


def _whole_kind(given: Arguments) -> Kind:
    kind = _numeric(given)
    if kinds.is_decimal(kind):
        precision, scale = kinds.size_of(kind)
        return kinds.decimal(precision - scale + 1 if scale else precision, 0)
    return kinds.BIGINT


def _to_whole(name: str) -> Rule:
    def build(given: Arguments) -> exp.Expr:
        kind, value = _numeric(given), _value(given)
        if kinds.is_integer(kind):
            return value
        if kinds.is_decimal(kind):
            return try_cast_to(call(f"spark_{name}", value), engine_name(_whole_kind(given)))
        return call("spark_real_to_64", call(name, value))

    return Rule(_whole_kind, build)


def _to_unit(given: Arguments) -> bool:
    return len(given) > 1 and isinstance(given[1], exp.Literal) and given[1].is_string


def _truncated_kind(given: Arguments) -> Kind:
    if _to_unit(given):
        return kinds.DATE
    return kinds.DATE if kinds.is_time(kind_of(given[0])) else kind_of(given[0])


def _truncated(given: Arguments) -> exp.Expr:
    """The service's own TRUNC of a number or a timestamp; open-source Spark has none."""
    kind = kind_of(given[0])
    if _to_unit(given):
        return truncated_date(given)
    if kinds.is_time(kind):
        return cast_to(given[0], "DATE")
    if not kinds.is_number(kind):
        raise refuse(f"TRUNC of {kinds.shown(kind)}")
    return cast_to(call("trunc", given[0], *given[1:]), engine_name(kind))


def _logarithm(given: Arguments) -> exp.Expr:
    if len(given) == 1:
        return call("spark_logarithm", as_double(given[0]))
    return call("spark_logarithm_to", as_double(given[0]), as_double(given[1]))


def _modulo(given: Arguments) -> tuple[exp.Expr, Kind]:
    node = exp.Mod(this=given[0].copy(), expression=given[1].copy())
    node.this.type, node.expression.type = kind_of(given[0]), kind_of(given[1])
    return remainder(node)


def _negative(given: Arguments) -> tuple[exp.Expr, Kind]:
    node = exp.Neg(this=given[0].copy())
    node.this.type = kind_of(given[0])
    return negation(node)


_ROUND = Rule(_rounded_kind, _rounded, 1, 2)
_LOG = Rule(fixed(kinds.DOUBLE), _logarithm, 1, 2)
NUMBERS: dict[str, Rule] = {
    "ABS": Rule(_numeric, _abs),
    "ACOS": _of_doubles("spark_acos"),
    "ASIN": _of_doubles("spark_asin"),
    "ATAN": _of_doubles("atan"),
    "ATAN2": _of_doubles("atan2", 2),
    "CBRT": _of_doubles("cbrt"),
    "CEIL": _to_whole("ceil"),
    "CEILING": _to_whole("ceil"),
    "COS": _of_doubles("spark_cos"),
    "COT": _of_doubles("spark_cot"),
    "DEGREES": _of_doubles("degrees"),
    "EXP": _of_doubles("exp"),
    "FLOOR": _to_whole("floor"),
    "LN": _of_doubles("spark_logarithm"),
    "LOG": _LOG,
    "LOG10": _of_doubles("spark_logarithm_10"),
    "LOG2": _of_doubles("spark_logarithm_2"),
    "MOD": Rule(lambda given: _modulo(given)[1], lambda given: _modulo(given)[0], 2, 2),
    "NEGATIVE": Rule(lambda given: _negative(given)[1], lambda given: _negative(given)[0]),
    "PI": Rule(fixed(kinds.DOUBLE), lambda given: call("pi"), 0, 0),
    "POW": _of_doubles("spark_power", 2),
    "POWER": _of_doubles("spark_power", 2),
    "RADIANS": _of_doubles("radians"),
    "ROUND": _ROUND,
    "SIGN": _of_doubles("spark_sign"),
    "SIGNUM": _of_doubles("spark_sign"),
    "SIN": _of_doubles("spark_sin"),
    "SQRT": _of_doubles("spark_sqrt"),
    "TAN": _of_doubles("spark_tan"),
    "TRUNC": Rule(_truncated_kind, _truncated, 1, 2),
}
