"""One rewrite per kind of Spark expression whose DuckDB form differs; types are Spark's, annotated before."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from cleanrooms.rules.dialect import NullSafeOperator, ShortTrunc
from sandbox.cleanrooms.engine.coercion import among, between, cast, compare, dated, timestamp
from sandbox.cleanrooms.engine.functions import refuse
from sandbox.cleanrooms.engine.nodes import call, cast_to, is_a, is_text

Type = exp.DataType.Type
Rewrite = Callable[[exp.Expr], exp.Expr]

_PARTS_OF_A_DATE = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE"}
_UNITS = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "year"),
    "QUARTER": "quarter",
    **dict.fromkeys(("MONTH", "MON", "MM"), "month"),
    "WEEK": "week",
}
_CLOCK_UNITS = {"DAY": "day", "HOUR": "hour", "MINUTE": "minute", "SECOND": "second"}
_STRFTIME = {"%Y", "%m", "%d", "%H", "%M", "%S"}


def _decimal(node: exp.Expr) -> tuple[int, int] | None:
    """Precision and scale of a decimal, ``None`` when it is none or they are not known."""
    if not node.is_type(Type.DECIMAL) or node.type is None:
        return None
    sizes = [int(size.name) for size in node.type.expressions]
    return (sizes[0], sizes[1] if len(sizes) > 1 else 0) if sizes else None


def _decimal_type(precision: int, scale: int) -> str:
    return f"DECIMAL({min(precision, 38)}, {min(scale, 38)})"


def _divide(node: exp.Expr) -> exp.Expr:
    quotient: exp.Expr = call("spark_divide", node.this, node.expression)
    left, right = _decimal(node.this), _decimal(node.expression)
    if left and right:
        scale = max(6, left[1] + right[0] + 1)
        precision = left[0] - left[1] + right[1] + scale
        if precision > 38:  # Spark keeps the whole digits and at least six of the fraction
            scale, precision = max(min(scale, 6), scale - (precision - 38)), 38
        quotient = cast_to(quotient, _decimal_type(precision, scale))
    return quotient


def _outermost(node: exp.Expr) -> exp.Expr:
    """The window or filter that an aggregate stands in: a cast has to go around that."""
    while isinstance(node.parent, (exp.Window, exp.Filter, exp.IgnoreNulls, exp.WithinGroup)):
        node = node.parent
    return node


def _average(node: exp.Expr) -> exp.Expr:
    size = _decimal(node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this)
    if size:
        _outermost(node).meta["cast"] = _decimal_type(size[0] + 4, size[1] + 4)
    return node


def _total(node: exp.Expr) -> exp.Expr:
    term = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    size = _decimal(term)
    if size:
        _outermost(node).meta["cast"] = _decimal_type(size[0] + 10, size[1])
    elif is_a(term, exp.DataType.INTEGER_TYPES):
        _outermost(node).meta["cast"] = "BIGINT"
    return node


def _quantile(node: exp.Expr) -> exp.Expr:
    return call("quantile_cont", node.this, node.args["quantile"])


def _round(node: exp.Expr) -> exp.Expr:
    digits = node.args.get("decimals") or exp.Literal.number(0)
    if is_a(node.this, exp.DataType.INTEGER_TYPES) or _decimal(node.this):
        return node
    return call("spark_round", node.this, digits)


def _whole(node: exp.Expr) -> exp.Expr:
    if node.args.get("decimals") is not None:
        raise refuse(f"{node.key.upper()} with a number of digits")
    return node if _decimal(node.this) else cast_to(node, "BIGINT")


def _part(node: exp.Expr) -> exp.Expr:
    return cast_to(node, "INTEGER")


def _day_of_week(node: exp.Expr) -> exp.Expr:
    return call("spark_day_of_week", node.this)


def _extract(node: exp.Expr) -> exp.Expr:
    if node.name.upper() not in _PARTS_OF_A_DATE:
        raise refuse(f"EXTRACT({node.name.upper()})")
    return cast_to(node, "INTEGER")


def _date(node: exp.Expr) -> exp.Expr:
    if node.args.get("format") is not None:
        raise refuse("TO_DATE with a format")
    return call("spark_date", node.this) if is_text(node.this) else cast_to(node.this, "DATE")


def _add_days(node: exp.Expr) -> exp.Expr:
    unit = node.args.get("unit")
    if unit is not None and unit.name.upper() not in ("DAY", "DAYS"):
        raise refuse(f"DATE_ADD with unit {unit.name.upper()}")
    return call("spark_add_days", dated(node.this), node.expression)


def _add_months(node: exp.Expr) -> exp.Expr:
    return call("spark_add_months", dated(node.this), node.expression)


def _days_between(node: exp.Expr) -> exp.Expr:
    unit = node.args.get("unit")
    if unit is not None and unit.name.upper() != "DAY":
        raise refuse(f"DATEDIFF with unit {unit.name.upper()}")
    return call("spark_days_between", dated(node.this), dated(node.expression))


def _truncate_date(node: exp.Expr) -> exp.Expr:
    unit = _UNITS.get(node.args["unit"].name.upper())
    if unit is None:
        raise refuse(f"TRUNC to {node.args['unit'].name.upper()}")
    return cast_to(call("date_trunc", exp.Literal.string(unit), dated(node.this)), "DATE")


def _truncate_time(node: exp.Expr) -> exp.Expr:
    unit = (_UNITS | _CLOCK_UNITS).get(node.args["unit"].name.upper())
    if unit is None:
        raise refuse(f"DATE_TRUNC to {node.args['unit'].name.upper()}")
    return call("date_trunc", exp.Literal.string(unit), cast_to(node.this, "TIMESTAMP"))


def _short_trunc(node: exp.Expr) -> exp.Expr:
    digits = node.args.get("decimals")
    if is_a(node.this, exp.DataType.TEMPORAL_TYPES):
        return cast_to(node.this, "DATE")
    return call("trunc", node.this, *([digits] if digits is not None else []))


def _format_date(node: exp.Expr) -> exp.Expr:
    text = node.args["format"].name
    used = {text[at : at + 2] for at, letter in enumerate(text) if letter == "%"}
    if not used <= _STRFTIME:
        raise refuse("DATE_FORMAT with that pattern")
    return node


def _trim(node: exp.Expr) -> exp.Expr:
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get((node.args.get("position") or "").upper(), "trim")
    return call(side, node.this, node.expression or exp.Literal.string(" "))


def _substring(node: exp.Expr) -> exp.Expr:
    length = node.args.get("length") or exp.Literal.number(2**31 - 1)
    return call("spark_substring", node.this, node.args["start"], length)


def _logarithm(node: exp.Expr) -> exp.Expr:
    if node.args.get("expression") is None:
        return call("spark_logarithm", node.this)
    return call("spark_logarithm_to", node.this, node.expression)


def _like(node: exp.Expr) -> exp.Expr:
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _exact_distinct(node: exp.Expr) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _macro(name: str, *parts: str) -> Rewrite:
    def rewrite(node: exp.Expr) -> exp.Expr:
        return call(name, *(node.args[part] for part in parts))

    return rewrite


REWRITES: dict[type[exp.Expr], Rewrite] = {
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), compare),
    exp.Between: between,
    exp.In: among,
    exp.TimeStrToTime: timestamp,
    exp.AddMonths: _add_months,
    exp.ApproxDistinct: _exact_distinct,
    exp.Avg: _average,
    exp.Cast: cast,
    exp.Ceil: _whole,
    exp.DateDiff: _days_between,
    exp.DateTrunc: _truncate_date,
    exp.Day: _part,
    exp.DayOfMonth: _part,
    exp.DayOfWeek: _day_of_week,
    exp.DayOfYear: _part,
    exp.Div: _divide,
    exp.Extract: _extract,
    exp.Floor: _whole,
    exp.Hour: _part,
    exp.ILike: _like,
    exp.IntDiv: _macro("spark_whole_divide", "this", "expression"),
    exp.Left: _macro("spark_left", "this", "expression"),
    exp.Length: _part,
    exp.Like: _like,
    exp.Ln: _logarithm,
    exp.Log: _logarithm,
    exp.Lower: _macro("spark_lower", "this"),
    exp.Minute: _part,
    exp.Mod: _macro("spark_remainder", "this", "expression"),
    exp.Month: _part,
    NullSafeOperator: lambda node: exp.NullSafeEQ(this=node.this, expression=node.expression),
    exp.Quantile: _quantile,
    exp.Quarter: _part,
    exp.Right: _macro("spark_right", "this", "expression"),
    exp.Round: _round,
    exp.Second: _part,
    ShortTrunc: _short_trunc,
    exp.Substring: _substring,
    exp.Sum: _total,
    exp.TimeToStr: _format_date,
    exp.TimestampTrunc: _truncate_time,
    exp.Trim: _trim,
    exp.TryCast: cast,
    exp.TsOrDsAdd: _add_days,
    exp.TsOrDsToDate: _date,
    exp.Upper: _macro("spark_upper", "this"),
    exp.WeekOfYear: _part,
    exp.Year: _part,
}
