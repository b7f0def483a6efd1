"""Mathematical functions: a new column of numbers. Source: DataBrew guide, "Mathematical functions".

Whole numbers stay whole where the result is; everything else is a double. What has no result (a division by
zero, the root of a negative number) gives null, never infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "mathematical"
_ONE = "sourceColumn? value? value1? targetColumn"
_TWO = "sourceColumn1? value1? sourceColumn2? value2? targetColumn"


def _number(p: Arguments, column: str = "sourceColumn", value: str = "value") -> pl.Expr:
    if column == "sourceColumn" and p.has("value1") and not p.has("value"):
        value = "value1"
    if p.has(column) == p.has(value):
        raise p.error(f"needs either {column} or {value}.")
    if p.has(value):
        number = p.number(value)
        whole = number.is_integer() and abs(number) < 2**63
        return pl.lit(int(number) if whole else number)
    name = p.column(column)
    kind = p.schema[name]
    if not kind.is_numeric() and kind != pl.Null:
        raise p.error(f"needs numbers; {name!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    return pl.col(name).cast(pl.Int64) if kind.is_integer() else pl.col(name).cast(pl.Float64)


def _pair(p: Arguments) -> tuple[pl.Expr, pl.Expr]:
    """Both operands; the guide also writes sourceColumn1 with value1, the constant then being the second."""
    if p.has("sourceColumn1") and p.has("value1") and not p.has("sourceColumn2") and not p.has("value2"):
        parameters = {k: v for k, v in p.step.parameters.items() if k != "value1"}
        first = Arguments(type(p.step)(p.step.number, p.step.operation, parameters), p.schema, p.settings)
        return _number(first, "sourceColumn1", "value1"), _number(p, "sourceColumn2", "value1")
    return _number(p, "sourceColumn1", "value1"), _number(p, "sourceColumn2", "value2")


def _finite(value: pl.Expr) -> pl.Expr:
    number = value.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)


def _of_one(
    operation: str, compute: Callable[[pl.Expr], pl.Expr], *, whole: bool = False, note: str = ""
) -> None:
    @action(operation, CATEGORY, f"{_ONE} sourceColumn1?", note=note)
    def build(p: Arguments) -> Change:
        # The guide lists sourceColumn1 for FLOOR, beside value.
        result = compute(_number(p, "sourceColumn1" if p.has("sourceColumn1") else "sourceColumn"))
        return Assign({p.target(): result if whole else _finite(result)})


def _of_two(
    operation: str, compute: Callable[[pl.Expr, pl.Expr], pl.Expr], *, whole: bool = False, note: str = ""
) -> None:
    @action(operation, CATEGORY, _TWO, note=note)
    def build(p: Arguments) -> Change:
        result = compute(*_pair(p))
        return Assign({p.target(): result if whole else _finite(result)})


_of_one("ABSOLUTE", lambda e: e.abs(), whole=True)
_of_one("CEILING", lambda e: e.cast(pl.Float64).ceil().cast(pl.Int64, strict=False), whole=True)
_of_one(
    "FLOOR", lambda e: e.cast(pl.Float64).floor().cast(pl.Int64, strict=False), whole=True, note="rounds down"
)
_of_one("NEGATE", lambda e: -e, whole=True)
_of_one("SIGN", lambda e: e.sign().cast(pl.Int64), whole=True)
_of_one("DEGREES", lambda e: e.degrees())
_of_one("RADIANS", lambda e: e.radians())
_of_one("EXPONENT", lambda e: e.exp(), note="e to the power of the value")
_of_one("LN", lambda e: pl.when(e > 0).then(e.log()))
_of_one("SQUARE_ROOT", lambda e: pl.when(e >= 0).then(e.sqrt()))
_of_two("ADD", lambda a, b: a + b, whole=True)
_of_two("SUBTRACT", lambda a, b: a - b, whole=True)
_of_two("MULTIPLY", lambda a, b: a * b, whole=True)
_of_two("DIVIDE", lambda a, b: pl.when(b != 0).then(a.cast(pl.Float64) / b), note="by zero gives null")
_of_two(
    "MOD",
    lambda a, b: pl.when(b != 0).then(a - b * (a / b).cast(pl.Int64, strict=False)),
    note="sign of the first",
)


@action("LOG", CATEGORY, f"{_ONE} base?", note="base 10 unless given")
def log(p: Arguments) -> Change:
    base = p.number("base") if p.has("base") else 10.0
    if base <= 0 or base == 1:
        raise p.error("has a base that has no logarithm.")
    value = _number(p).cast(pl.Float64)
    return Assign({p.target(): _finite(pl.when(value > 0).then(value.log(base)))})


@action(
    "POWER",
    CATEGORY,
    f"{_ONE} sourceColumn1? sourceColumn2? value2? exponent?",
    note="the exponent is exponent, or the second of two operands",
)
def power(p: Arguments) -> Change:
    base, exponent = (_number(p), pl.lit(p.number("exponent"))) if p.has("exponent") else _pair(p)
    return Assign({p.target(): _finite(base.cast(pl.Float64).pow(exponent.cast(pl.Float64)))})


@action("PI", CATEGORY, "targetColumn")
def pi(p: Arguments) -> Change:
    return Assign({p.target(): pl.lit(math.pi)})


@action(
    "ROUND",
    CATEGORY,
    f"{_ONE} decimalPlaces?",
    tier=Tier.TOLERANT,
    note="half away from zero; decimalPlaces 0",
)
def rounded(p: Arguments) -> Change:
    places = p.integer("decimalPlaces", 0, least=0)
    return Assign(
        {p.target(): _finite(_number(p).cast(pl.Float64).round(places, mode="half_away_from_zero"))}
    )


def _parity(operation: str, remainder: int) -> None:
    @action(
        operation, CATEGORY, f"{_ONE} trueString? falseString?", note="fractions are neither; null gives null"
    )
    def build(p: Arguments) -> Change:
        value = _number(p).cast(pl.Float64)
        yes, no = p.text("trueString", "True"), p.text("falseString", "False")
        holds = (value.abs() % 2) == remainder
        return Assign(
            {p.target(): pl.when(holds).then(pl.lit(yes)).when(value.is_not_null()).then(pl.lit(no))}
        )


_parity("IS_EVEN", 0)
_parity("IS_ODD", 1)
