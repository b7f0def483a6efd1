"""Arithmetic of numbers, dates and intervals, and the joining of texts."""

from __future__ import annotations

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_double, as_text, engine_name
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import bracketed, call, cast_to, number, try_cast_to
from sandbox.cleanrooms.engine.rule import kind_of, refuse

Typed = tuple[exp.Expr, Kind]
Operands = tuple[exp.Expr, exp.Expr, Kind, Kind]

# Literals that have a wider type without their sign.
_SMALLEST = {str(2**31): kinds.INT, str(2**63): kinds.BIGINT}
_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.IntDiv: "DIV",
}


def _operands(node: exp.Expr) -> Operands:
    """Both sides of an arithmetic operator; text and NULL have become doubles or the other side's type."""
    left, right = node.this, node.expression
    if kinds.is_text(kind_of(left)) or kinds.is_text(kind_of(right)):
        left, right = as_double(left), as_double(right)
        return left, right, kinds.DOUBLE, kinds.DOUBLE
    first, second = kind_of(left), kind_of(right)
    if kinds.is_null(first) and kinds.is_null(second):
        first = second = kinds.DOUBLE
    first, second = second if kinds.is_null(first) else first, first if kinds.is_null(second) else second
    if not kinds.is_number(first) or not kinds.is_number(second):
        raise kinds.unfit(_SYMBOLS[type(node)])
    return bracketed(left), bracketed(right), first, second


def _as_decimals(node: exp.Expr, operands: Operands) -> tuple[Kind, Kind]:
    """The decimal types of both sides; a whole-number literal has as many digits as it shows."""
    sizes = []
    for given, kind in ((node.this, operands[2]), (node.expression, operands[3])):
        digits = _digits(given) if kinds.is_integer(kind) else None
        sizes.append(kinds.decimal(*kinds.size_of(kind)) if digits is None else kinds.decimal(digits, 0))
    return sizes[0], sizes[1]


def _digits(node: exp.Expr) -> int | None:
    """The number of digits of a whole-number literal, ``None`` for anything else."""
    while isinstance(node, (exp.Paren, exp.Neg)):
        node = node.this
    return (
        max(len(node.name.lstrip("0")), 1) if isinstance(node, exp.Literal) and not node.is_string else None
    )


def _plain(node: exp.Expr, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Paren(this=type(node)(this=left, expression=right))


def arithmetic(node: exp.Expr) -> Typed:
    """``+``, ``-`` and ``*`` of numbers, and of dates and intervals."""
    if {kind_of(node.this).this, kind_of(node.expression).this} & {T.DATE, T.TIMESTAMP, T.INTERVAL}:
        return _of_times(node)
    operands = _operands(node)
    left, right, first, second = operands
    if kinds.is_integer(first) and kinds.is_integer(second):
        kind = kinds.tightest(first, second) or first
        # Overflow wraps around as in Java.
        wide = "HUGEINT" if kind.this == T.BIGINT else "BIGINT"
        result = _plain(node, cast_to(left, wide), cast_to(right, wide))
        return call(f"spark_wrap_{kinds.bits(kind)}", result), kind
    if kinds.is_real(first) or kinds.is_real(second):
        kind = kinds.tightest(first, second) or kinds.DOUBLE
        name = engine_name(kind)
        return _plain(node, cast_to(left, name), cast_to(right, name)), kind
    return _of_decimals(node, operands)


def _of_decimals(node: exp.Expr, operands: Operands) -> Typed:
    first, second = _as_decimals(node, operands)
    (p1, s1), (p2, s2) = kinds.size_of(first), kinds.size_of(second)
    if isinstance(node, exp.Mul):
        scale, precision = s1 + s2, p1 + p2 + 1
    else:
        scale = max(s1, s2)
        precision = max(p1 - s1, p2 - s2) + scale + 1
    kind = kinds.shortened(precision, scale)
    left, right = operands[0], operands[1]
    if precision <= 38:
        # DuckDB multiplies in 64 bits while both sides fit them.
        sides = (cast_to(left, engine_name(kinds.decimal(p1 + p2, s1))), cast_to(right, engine_name(second)))
        if not isinstance(node, exp.Mul):
            sides = (cast_to(left, engine_name(kind)), cast_to(right, engine_name(kind)))
        return cast_to(_plain(node, *sides), engine_name(kind)), kind
    units: list[exp.Expr] = [call("spark_units", left, number(s1)), call("spark_units", right, number(s2))]
    if not isinstance(node, exp.Mul):
        units = [
            exp.Mul(this=one, expression=_power(scale - own))
            for one, own in zip(units, (s1, s2), strict=True)
        ]
    exact = type(node)(this=units[0], expression=units[1])
    return from_units(exact, scale, kind), kind


def _power(exponent: int) -> exp.Expr:
    return cast_to(exp.Literal.number(10**exponent), "HUGEINT")


def from_units(units: exp.Expr, scale: int, kind: Kind) -> exp.Expr:
    """Units of 10^-scale as a decimal of fewer digits, rounded half up; too many digits give NULL."""
    target = kinds.size_of(kind)[1]
    if scale > target:
        units = call("spark_divide_units", exp.Paren(this=units), _power(scale - target))
    unit = cast_to(exp.Literal.string(f"1e-{target}" if target else "1"), f"DECIMAL(38, {target})")
    decimal = exp.Mul(this=try_cast_to(units, "DECIMAL(38, 0)"), expression=unit)
    return try_cast_to(exp.Paren(this=decimal), engine_name(kind))


def division(node: exp.Expr) -> Typed:
    """``/``: of doubles unless both sides are decimals or one is and the other a whole number; by zero NULL."""
    operands = _operands(node)
    left, right, first, second = operands
    if not any(kinds.is_decimal(one) for one in (first, second)) or any(
        kinds.is_real(one) for one in (first, second)
    ):
        return call("spark_divide", left, right), kinds.DOUBLE
    one, two = _as_decimals(node, operands)
    (p1, s1), (p2, s2) = kinds.size_of(one), kinds.size_of(two)
    scale = max(6, s1 + p2 + 1)
    kind = kinds.shortened(p1 - s1 + s2 + scale, scale)
    target = kinds.size_of(kind)[1]
    dividend: exp.Expr = call("spark_units", left, number(s1))
    divisor: exp.Expr = call("spark_units", right, number(s2))
    shift = target - s1 + s2
    if shift >= 0:
        dividend = exp.Mul(this=dividend, expression=_power(shift))
    else:
        divisor = exp.Mul(this=divisor, expression=_power(-shift))
    return from_units(call("spark_divide_units", dividend, divisor), target, kind), kind


def remainder(node: exp.Expr) -> Typed:
    """``%``: the dividend's sign; by zero NULL."""
    operands = _operands(node)
    left, right, first, second = operands
    kind = kinds.tightest(first, second) or kinds.DOUBLE
    if kinds.is_decimal(kind):
        one, two = _as_decimals(node, operands)
        (p1, s1), (p2, s2) = kinds.size_of(one), kinds.size_of(two)
        scale = max(s1, s2)
        kind = kinds.shortened(min(p1 - s1, p2 - s2) + scale, scale)
        units = [
            exp.Mul(this=call("spark_units", side, number(own)), expression=_power(scale - own))
            for side, own in ((left, s1), (right, s2))
        ]
        return from_units(call("spark_remainder", *units), scale, kind), kind
    if kinds.is_integer(kind) and isinstance(right, exp.Literal) and right.name.strip("0"):
        return _plain(node, left, right), kind
    # One size up: the smallest number by -1 overflows.
    name = engine_name(kind) if kinds.is_real(kind) else "HUGEINT" if kind.this == T.BIGINT else "BIGINT"
    macro = "spark_real_remainder" if kinds.is_real(kind) else "spark_remainder"
    return call(macro, cast_to(left, name), cast_to(right, name)), kind


def whole_division(node: exp.Expr) -> Typed:
    """``DIV``: of whole numbers and decimals, always a BIGINT."""
    left, right, first, second = _operands(node)
    if kinds.is_real(first) or kinds.is_real(second):
        raise kinds.unfit("DIV")
    if kinds.is_decimal(first) or kinds.is_decimal(second):
        scale = max(kinds.size_of(first)[1], kinds.size_of(second)[1])
        sides = [
            exp.Mul(this=call("spark_units", side, number(own)), expression=_power(scale - own))
            for side, own in ((left, kinds.size_of(first)[1]), (right, kinds.size_of(second)[1]))
        ]
        return call("spark_whole_divide", *sides), kinds.BIGINT
    return call("spark_whole_divide", cast_to(left, "HUGEINT"), cast_to(right, "HUGEINT")), kinds.BIGINT


def negation(node: exp.Expr) -> Typed:
    """Unary minus."""
    value, kind = node.this, kind_of(node.this)
    if kinds.is_text(kind):
        value, kind = as_double(value), kinds.DOUBLE
    if isinstance(value, exp.Literal) or (
        isinstance(value, exp.Cast) and isinstance(value.this, exp.Literal)
    ):
        shown = value.name if isinstance(value, exp.Literal) else value.this.name
        return exp.Paren(this=exp.Neg(this=value.copy())), _SMALLEST.get(shown, kind)
    if kinds.is_integer(kind):
        wide = "HUGEINT" if kind.this == T.BIGINT else "BIGINT"
        return call(f"spark_wrap_{kinds.bits(kind)}", exp.Neg(this=cast_to(value, wide))), kind
    if not kinds.is_number(kind):
        raise kinds.unfit("-")
    return exp.Paren(this=exp.Neg(this=bracketed(value))), kind


def _of_times(node: exp.Expr) -> Typed:
    left, right = node.this, node.expression
    if isinstance(node, exp.Add) and kind_of(left).this == T.INTERVAL:
        left, right = right, left
    kind, other = kind_of(left), kind_of(right)
    if isinstance(node, exp.Mul) or (not kinds.is_time(kind) and not kinds.is_text(kind)):
        raise refuse("of an interval")
    if other.this == T.INTERVAL:
        if kinds.is_text(kind):
            raise refuse("of an interval and a text")
        unit = right.args["unit"].name.upper().rstrip("S") if isinstance(right, exp.Interval) else ""
        if not unit:
            raise refuse("of an interval that is not a literal")
        result = _plain(node, bracketed(left), right.copy())
        stays = kind.this == T.DATE and unit in ("YEAR", "MONTH", "DAY", "WEEK", "QUARTER")
        target = kinds.DATE if stays else kinds.TIMESTAMP
        return cast_to(result, engine_name(target)), target
    if kind.this == T.DATE and kinds.is_integer(other):
        return cast_to(_plain(node, bracketed(left), cast_to(right, "INTEGER")), "DATE"), kinds.DATE
    raise refuse("of an interval between two dates")


def joined(node: exp.Expr) -> Typed:
    """``||``."""
    if any(kind_of(side).this in (T.ARRAY, T.BINARY) for side in (node.this, node.expression)):
        raise refuse("|| of arrays or bytes")
    sides = [bracketed(as_text(side)) for side in (node.this, node.expression)]
    return exp.Paren(this=exp.DPipe(this=sides[0], expression=sides[1])), kinds.TEXT
