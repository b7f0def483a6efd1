"""Dates and times: a new column from a date, a timestamp or a text.

Source: DataBrew guide, "Date and time functions". Times are UTC. Texts are read as
:func:`cleanrooms.recipes.dates.guess` does; the service guesses too, by rules of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import polars as pl

from cleanrooms.recipes import dates
from cleanrooms.recipes.arguments import Arguments, constant
from cleanrooms.recipes.registry import Assign, Change, Tier, action

CATEGORY = "date and time"
_COMMON = "sourceColumn? value? targetColumn"
_GUESS = "texts are read year first, else month first; unreadable text gives null"
_FORMATS = ("mm/dd/yyyy", "mm-dd-yyyy", "dd month yyyy", "month yyyy", "dd month")
_CLOCK_PARTS = ("HOUR", "MINUTE", "SECOND", "MILLISECOND")
_SECONDS = (-62_135_596_800, 253_402_300_799)  # years 1 to 9999
_OFFSET = re.compile(r"(?:UTC|GMT)([+-])([01]?[0-9]):?([0-5][0-9])?\Z")
_OFFSETS = {
    "YEARS": "y", "QUARTERS": "q", "MONTHS": "mo", "WEEKS": "w", "DAYS": "d", "HOURS": "h", "MINUTES": "m",
    "SECONDS": "s", "MILLISECONDS": "ms", "MICROSECONDS": "us",
}  # fmt: skip
_LENGTHS = {
    "WEEKS": 604_800_000_000, "DAYS": 86_400_000_000, "HOURS": 3_600_000_000, "MINUTES": 60_000_000,
    "SECONDS": 1_000_000, "MILLISECONDS": 1_000, "MICROSECONDS": 1,
}  # fmt: skip


def _moment(
    p: Arguments, column: str = "sourceColumn", value: str = "value", *, clock: bool = False
) -> pl.Expr:
    """The column or constant as a timestamp; a text column needs the source's consent to guessing."""
    if p.has(column) == p.has(value):
        raise p.error(f"needs either {column} or {value}.")
    if p.has(value):
        return dates.moment(constant(p.text(value)), None, clock=clock)
    name = p.column(column)
    kind = p.schema[name]
    if kind in (pl.String, pl.Null):
        p.tolerate(_GUESS)
    elif kind != pl.Date and not isinstance(kind, pl.Datetime):
        raise p.error(f"needs dates; {name!r} is of type {kind}.", "Put CHANGE_DATA_TYPE before it.")
    return dates.moment(pl.col(name), kind, clock=clock)


@action("DATE_FORMAT", CATEGORY, f"{_COMMON} dateTimeFormat?", note=_GUESS)
def date_format(p: Arguments) -> Change:
    moment = _moment(p, clock=True)
    return Assign({p.target(): dates.written(moment, p.text("dateTimeFormat", dates.DEFAULT_FORMAT))})


@action("FORMAT_DATE", "cleaning", "sourceColumn targetDateFormat", tier=Tier.TOLERANT, note=_GUESS)
def format_date(p: Arguments) -> Change:
    column = p.column()
    layout = p.choice("targetDateFormat", _FORMATS)
    return Assign({column: dates.written(dates.moment(pl.col(column), p.schema[column]), layout)})


def _part(operation: str, part: Callable[[pl.Expr], pl.Expr], kind: pl.DataType, note: str = _GUESS) -> None:
    @action(operation, CATEGORY, f"{_COMMON} dateTimeFormat?", note=note)
    def build(p: Arguments) -> Change:
        # The console exports a dateTimeFormat with these steps, too: it has no say in a number or a name.
        return Assign({p.target(): part(_moment(p, clock=operation in _CLOCK_PARTS)).cast(kind)})


_part("YEAR", lambda e: e.dt.year(), pl.Int32())
_part("MONTH", lambda e: e.dt.month(), pl.Int32())
_part("DAY", lambda e: e.dt.day(), pl.Int32())
_part("HOUR", lambda e: e.dt.hour(), pl.Int32())
_part("MINUTE", lambda e: e.dt.minute(), pl.Int32())
_part("SECOND", lambda e: e.dt.second(), pl.Int32())
_part("MILLISECOND", lambda e: e.dt.millisecond(), pl.Int32())
_part("QUARTER", lambda e: e.dt.quarter(), pl.Int32())
_part("WEEK_NUMBER", lambda e: e.dt.week(), pl.Int32(), f"{_GUESS}; weeks as ISO 8601 counts them")
_part("WEEK_DAY", lambda e: e.dt.weekday() % 7 + 1, pl.Int32(), f"{_GUESS}; Sunday is 1")
_part("MONTH_NAME", lambda e: dates.written(e, "month"), pl.String())
_part("UNIX_TIME", lambda e: e.dt.epoch("s"), pl.Int64())


@action(
    "UNIX_TIME_FORMAT",
    CATEGORY,
    f"{_COMMON} dateTimeFormat?",
    note="seconds since 1970 in UTC; null outside the years 1 to 9999",
)
def unix_time_format(p: Arguments) -> Change:
    seconds = p.subject().cast(pl.Int64, strict=False)
    seconds = pl.when(seconds.is_between(*_SECONDS)).then(seconds)
    moment = pl.from_epoch(seconds, time_unit="s").cast(pl.Datetime("us"))
    return Assign({p.target(): dates.written(moment, p.text("dateTimeFormat", dates.DEFAULT_FORMAT))})


@action("DATE_ADD", CATEGORY, f"{_COMMON} units dateAddValue dateTimeFormat?", note=_GUESS)
def date_add(p: Arguments) -> Change:
    step = f"{p.integer('dateAddValue')}{_OFFSETS[p.choice('units', tuple(_OFFSETS))]}"
    moved = _moment(p).dt.offset_by(step)
    return Assign({p.target(): dates.written(moved, p.text("dateTimeFormat", dates.DEFAULT_FORMAT))})


@action(
    "DATE_DIFF",
    CATEGORY,
    "sourceColumn1? sourceColumn2? value1? value2? units targetColumn",
    tier=Tier.TOLERANT,
    note="the second minus the first, in whole units towards zero; the guide does not give the sign",
)
def date_diff(p: Arguments) -> Change:
    first, second = _moment(p, "sourceColumn1", "value1"), _moment(p, "sourceColumn2", "value2")
    unit = p.choice("units", tuple(_OFFSETS))
    if unit in _LENGTHS:
        micros = (second - first).dt.total_microseconds()
        return Assign({p.target(): micros.sign() * (micros.abs() // _LENGTHS[unit])})
    months = _whole_months(first, second)
    size = {"YEARS": 12, "QUARTERS": 3, "MONTHS": 1}[unit]
    return Assign({p.target(): months.sign() * (months.abs() // size)})


def _whole_months(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """Months that passed completely, negative backwards."""

    def position(e: pl.Expr) -> pl.Expr:
        clock = e - e.dt.truncate("1d")
        return e.dt.day().cast(pl.Int64) * 86_400_000_000 + clock.dt.total_microseconds()

    def count(e: pl.Expr) -> pl.Expr:
        return e.dt.year().cast(pl.Int64) * 12 + e.dt.month().cast(pl.Int64)

    whole = count(second) - count(first)
    return (
        pl.when((whole > 0) & (position(second) < position(first)))
        .then(whole - 1)
        .when((whole < 0) & (position(second) > position(first)))
        .then(whole + 1)
        .otherwise(whole)
    )


@action(
    "CONVERT_TIMEZONE",
    CATEGORY,
    f"{_COMMON} fromTimeZone? toTimeZone? dateTimeFormat?",
    note=f"{_GUESS}; a time that a clock change leaves out gives null, one that it repeats is the earlier",
)
def convert_timezone(p: Arguments) -> Change:
    start, end = (_zone(p, p.text(n, "UTC")) for n in ("fromTimeZone", "toTimeZone"))
    moved = _to_zone(_to_utc(_moment(p), start), end)
    return Assign({p.target(): dates.written(moved, p.text("dateTimeFormat", dates.DEFAULT_FORMAT))})


def _zone(p: Arguments, name: str) -> str | timedelta:
    """A zone by its name, or its distance from UTC where it is written as the guide's UTC+08:00."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    offset = _OFFSET.match(name)
    if offset:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return -away if offset[1] == "-" else away
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise p.error(
            "names an unknown time zone.", "Use names such as America/New_York, or UTC+08:00."
        ) from None
    return name


def _to_utc(local: pl.Expr, zone: str | timedelta) -> pl.Expr:
    if isinstance(zone, timedelta):
        return local - zone
    there = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _to_zone(utc: pl.Expr, zone: str | timedelta) -> pl.Expr:
    if isinstance(zone, timedelta):
        return utc + zone
    return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)


def _built(operation: str, parts: tuple[str, ...], layout: str) -> None:
    @action(
        operation,
        CATEGORY,
        "dateTimeParameters dateTimeFormat? targetColumn",
        note="impossible dates give null",
    )
    def build(p: Arguments) -> Change:
        given = p.json("dateTimeParameters")
        if not isinstance(given, dict):
            raise p.error("has dateTimeParameters that are no object.")
        values = {n: _component(p, n, given.get(n) or {}, n in parts) for n in _COMPONENTS}
        iso = pl.concat_str(
            [
                values["year"].str.zfill(4), pl.lit("-"), values["month"].str.zfill(2), pl.lit("-"),
                values["day"].str.zfill(2), pl.lit("T"), values["hour"].str.zfill(2), pl.lit(":"),
                values["minute"].str.zfill(2), pl.lit(":"), values["second"].str.zfill(2),
            ]
        )  # fmt: skip
        moment = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
        return Assign({p.target(): dates.written(moment, p.text("dateTimeFormat", layout))})


_COMPONENTS = {"year": "1970", "month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}


def _component(p: Arguments, name: str, given: object, used: bool) -> pl.Expr:
    if not isinstance(given, dict) or not set(given) <= {"sourceColumn", "value"} or len(given) > 1:
        raise p.error(f"has a {name} in dateTimeParameters that is neither a column nor a value.")
    if not used or not given:
        return constant(_COMPONENTS[name])
    if "value" in given:
        return constant(str(given["value"]))
    if given["sourceColumn"] not in p.schema:
        raise p.error(
            f"names a column for {name} that does not exist here.", f"Columns: {', '.join(p.schema)}."
        )
    return p.as_text(given["sourceColumn"])


_built("DATE", ("year", "month", "day"), "yyyy-mm-dd")
_built("TIME", ("hour", "minute", "second"), "HH:MM:SS")
_built("DATE_TIME", tuple(_COMPONENTS), dates.DEFAULT_FORMAT)
