"""Functions of dates and times, in UTC."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import as_date, as_int, as_text, as_timestamp, converted
from sandbox.cleanrooms.engine.kinds import Kind, T
from sandbox.cleanrooms.engine.nodes import call, cast_to, text
from sandbox.cleanrooms.engine.patterns import printed, readers
from sandbox.cleanrooms.engine.rule import Arguments, Rule, constant, fixed, kind_of, refuse

_UNITS = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "year"),
    "QUARTER": "quarter",
    **dict.fromkeys(("MONTH", "MON", "MM"), "month"),
    "WEEK": "week",
}
_CLOCK_UNITS = {**dict.fromkeys(("DAY", "DD"), "day"), "HOUR": "hour", "MINUTE": "minute", "SECOND": "second"}
# Fields of EXTRACT and DATE_PART, by all their names (Spark's documentation of EXTRACT).
_FIELDS = {
    **dict.fromkeys(("YEAR", "Y", "YEARS", "YR", "YRS"), "year"),
    **dict.fromkeys(("QUARTER", "QTR"), "quarter"),
    **dict.fromkeys(("MONTH", "MON", "MONS", "MONTHS"), "month"),
    **dict.fromkeys(("WEEK", "W", "WEEKS"), "week"),
    **dict.fromkeys(("DAY", "D", "DAYS"), "day"),
    **dict.fromkeys(("DAYOFWEEK", "DOW"), "spark_day_of_week"),
    **dict.fromkeys(("DAYOFWEEK_ISO", "DOW_ISO"), "isodow"),
    "DOY": "dayofyear",
    "YEAROFWEEK": "isoyear",
    **dict.fromkeys(("HOUR", "H", "HOURS", "HR", "HRS"), "hour"),
    **dict.fromkeys(("MINUTE", "M", "MIN", "MINS", "MINUTES"), "minute"),
    **dict.fromkeys(("SECOND", "S", "SEC", "SECONDS", "SECS"), "spark_second"),
}
_OF_TIMES = ("hour", "minute", "spark_second")


def _of_date(name: str) -> Rule:
    return Rule(fixed(kinds.INT), lambda given: cast_to(call(name, as_date(given[0])), "INTEGER"))


def _of_time(name: str) -> Rule:
    return Rule(fixed(kinds.INT), lambda given: cast_to(call(name, as_timestamp(given[0])), "INTEGER"))


def _field(given: Arguments) -> str:
    name = constant(given[0], "EXTRACT of a field").upper()
    if name not in _FIELDS:
        raise refuse(f"EXTRACT({name})")
    return _FIELDS[name]


def _extracted_kind(given: Arguments) -> Kind:
    return kinds.decimal(8, 6) if _field(given) == "spark_second" else kinds.INT


def _extracted(given: Arguments) -> exp.Expr:
    field = _field(given)
    if kind_of(given[1]).this == T.INTERVAL:
        raise refuse("EXTRACT from an interval")
    # Text is a timestamp here; a date has no clock, so that midnight stands for it.
    value = as_date(given[1]) if kind_of(given[1]).this == T.DATE else as_timestamp(given[1])
    if field in _OF_TIMES:
        value = cast_to(value, "TIMESTAMP")
    found = call(field, value)
    return found if field == "spark_second" else cast_to(found, "INTEGER")


def _to_date(given: Arguments) -> exp.Expr:
    if len(given) == 1 or not kinds.is_text(kind_of(given[0])):
        return as_date(given[0])
    return cast_to(_read(given, "TO_DATE"), "DATE")


def _read(given: Arguments, name: str) -> exp.Expr:
    exact, target, loose = readers(constant(given[1], f"{name} with a pattern"), name)
    return call("spark_read_time", as_text(given[0]), text(exact), text(target), text(loose))


def _to_timestamp(given: Arguments) -> exp.Expr:
    if len(given) == 1 or not kinds.is_text(kind_of(given[0])):
        return as_timestamp(given[0])
    return _read(given, "TO_TIMESTAMP")


def _format(given: Arguments) -> exp.Expr:
    pattern = printed(constant(given[1], "DATE_FORMAT with a pattern"), "DATE_FORMAT")
    return call("spark_strftime", as_timestamp(given[0]), text(pattern))


def _add_days(given: Arguments) -> exp.Expr:
    if (
        kinds.is_real(kind_of(given[1]))
        or kinds.is_decimal(kind_of(given[1]))
        or kind_of(given[1]).this == T.BIGINT
    ):
        raise kinds.unfit("DATE_ADD")
    return call("spark_add_days", as_date(given[0]), as_int(given[1]))


def _minus_days(given: Arguments) -> exp.Expr:
    negative = exp.Neg(this=exp.Paren(this=as_int(given[1])))
    return call("spark_add_days", as_date(given[0]), negative)


def _add_months(given: Arguments) -> exp.Expr:
    return call("spark_add_months", as_date(given[0]), as_int(given[1]))


def _days_between(given: Arguments) -> exp.Expr:
    return call("spark_days_between", as_date(given[0]), as_date(given[1]))


def _unit(node: exp.Expr, units: dict[str, str], name: str) -> exp.Expr:
    unit = constant(node, f"{name} to a unit").upper()
    if unit not in units:
        raise refuse(f"{name} to {unit}")
    return text(units[unit])


def truncated_date(given: Arguments) -> exp.Expr:
    """TRUNC of a date to a unit."""
    return cast_to(call("date_trunc", _unit(given[1], _UNITS, "TRUNC"), as_date(given[0])), "DATE")


def _truncated_time(given: Arguments) -> exp.Expr:
    unit = _unit(given[0], _UNITS | _CLOCK_UNITS, "DATE_TRUNC")
    return call("date_trunc", unit, as_timestamp(given[1]))


def _zone(node: exp.Expr, name: str) -> exp.Expr:
    zone = constant(node, f"{name} with a time zone")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse(f"{name} with that time zone") from None
    return text(zone)


def _from_utc(given: Arguments) -> exp.Expr:
    return call("spark_from_utc", as_timestamp(given[0]), _zone(given[1], "FROM_UTC_TIMESTAMP"))


def _to_utc(given: Arguments) -> exp.Expr:
    return call("spark_to_utc", as_timestamp(given[0]), _zone(given[1], "TO_UTC_TIMESTAMP"))


def _convert_zone(given: Arguments) -> exp.Expr:
    *source, target, value = given
    start = _zone(source[0], "CONVERT_TIMEZONE") if source else text("UTC")
    moment = call("spark_to_utc", as_timestamp(value), start)
    return call("spark_from_utc", moment, _zone(target, "CONVERT_TIMEZONE"))


def _day_before(given: Arguments) -> exp.Expr:
    return cast_to(call("last_day", as_date(given[0])), "DATE")


_DATE = Rule(fixed(kinds.DATE), lambda given: converted(given[0], kinds.DATE))
_DIFF = Rule(fixed(kinds.INT), _days_between, 2, 2)
_PART = Rule(_extracted_kind, _extracted, 2, 2)
_NOW = Rule(fixed(kinds.TIMESTAMP), lambda given: cast_to(call("current_localtimestamp"), "TIMESTAMP"), 0, 0)
DATES: dict[str, Rule] = {
    "ADD_MONTHS": Rule(fixed(kinds.DATE), _add_months, 2, 2),
    "CONVERT_TIMEZONE": Rule(fixed(kinds.TIMESTAMP), _convert_zone, 2, 3),
    "CURRENT_DATE": Rule(
        fixed(kinds.DATE), lambda given: cast_to(call("current_localtimestamp"), "DATE"), 0, 0
    ),
    "CURRENT_TIMESTAMP": _NOW,
    "DATE": _DATE,
    "DATE_ADD": Rule(fixed(kinds.DATE), _add_days, 2, 2),
    "DATE_DIFF": _DIFF,
    "DATEDIFF": _DIFF,
    "DATE_FORMAT": Rule(fixed(kinds.TEXT), _format, 2, 2),
    "DATE_PART": _PART,
    "DATEPART": _PART,
    "DATE_SUB": Rule(fixed(kinds.DATE), _minus_days, 2, 2),
    "DATE_TRUNC": Rule(fixed(kinds.TIMESTAMP), _truncated_time, 2, 2),
    "DAY": _of_date("day"),
    "DAYOFMONTH": _of_date("day"),
    "DAYOFWEEK": _of_date("spark_day_of_week"),
    "DAYOFYEAR": _of_date("dayofyear"),
    "EXTRACT": _PART,
    "FROM_UTC_TIMESTAMP": Rule(fixed(kinds.TIMESTAMP), _from_utc, 2, 2),
    "HOUR": _of_time("hour"),
    "LAST_DAY": Rule(fixed(kinds.DATE), _day_before),
    "MINUTE": _of_time("minute"),
    "MONTH": _of_date("month"),
    "NOW": _NOW,
    "QUARTER": _of_date("quarter"),
    "SECOND": _of_time("second"),
    "TIMESTAMP": Rule(fixed(kinds.TIMESTAMP), lambda given: as_timestamp(given[0])),
    "TO_DATE": Rule(fixed(kinds.DATE), _to_date, 1, 2),
    "TO_TIMESTAMP": Rule(fixed(kinds.TIMESTAMP), _to_timestamp, 1, 2),
    "TO_UTC_TIMESTAMP": Rule(fixed(kinds.TIMESTAMP), _to_utc, 2, 2),
    "WEEKOFYEAR": _of_date("week"),
    "YEAR": _of_date("year"),
}
