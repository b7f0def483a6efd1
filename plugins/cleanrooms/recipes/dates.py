"""Dates in texts: layouts that DataBrew guesses, and its own tokens for writing them.

Sources: DataBrew guide, DATE_FORMAT and MONTH_NAME; the table of inputs on the Glue page of MonthName.
Guessed layouts are ours: year first, else month first unless that is impossible, else a month's name.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import polars as pl

from cleanrooms.recipes.distinct import per_distinct

DEFAULT_FORMAT = "yyyy-mm-dd HH:MM:SS"
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NUMBERS = {name.lower(): n for n, name in enumerate(MONTHS, 1)} | {
    m[:3].lower(): n for n, m in enumerate(MONTHS, 1)
}
_EPOCH = datetime.date(1970, 1, 1)
_SEPARATOR = r"([-/. ])"
_CLOCK = re.compile(
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?: ?([AaPp][Mm]))? ?(Z|[+-]\d{2}:?\d{2})?)?\Z",
    re.ASCII,
)
_TOKENS = re.compile(r"yyyy|yy|month|mmm|mm|dd|HH|hh|MM|SS|SSS|a|\*")
_WRITERS: dict[str, Callable[[datetime.datetime], str]] = {
    "yyyy": lambda d: f"{d.year:04}",
    "yy": lambda d: f"{d.year % 100:02}",
    "month": lambda d: MONTHS[d.month - 1],
    "mmm": lambda d: MONTHS[d.month - 1][:3],
    "mm": lambda d: f"{d.month:02}",
    "dd": lambda d: f"{d.day:02}",
    "HH": lambda d: f"{d.hour:02}",
    "hh": lambda d: f"{d.hour % 12 or 12:02}",
    "MM": lambda d: f"{d.minute:02}",
    "SS": lambda d: f"{d.second:02}",
    "a": lambda d: "AM" if d.hour < 12 else "PM",
    "*": lambda d: " ",
}


def guess(text: str) -> datetime.datetime | None:
    """The moment that a text names, in UTC without a zone; None where no layout fits."""
    text = text.strip()
    for layout, read in _LAYOUTS:
        match = layout.match(text)
        if match:
            day = read(match)
            clock = _CLOCK.match(text[match.end() :])
            if day is not None and clock is not None:
                return _at(day, clock)
    return None


def guess_clock(text: str) -> datetime.datetime | None:
    """As :func:`guess`; a time alone is one of 1 January 1970."""
    clock = _CLOCK.match(f" {text.strip()}") if text.strip() else None
    return guess(text) if clock is None else _at(_EPOCH, clock)


def moment(value: pl.Expr, kind: pl.DataType | None, *, clock: bool = False) -> pl.Expr:
    """A column of dates, timestamps or texts as a timestamp in UTC without a zone.

    :param kind: type of the column; None for a constant text
    :param clock: whether a text may be a time alone
    """
    if kind == pl.Date:
        return value.cast(pl.Datetime("us"))
    if isinstance(kind, pl.Datetime):
        utc = (
            value if kind.time_zone is None else value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        )
        return utc.cast(pl.Datetime("us"))
    return per_distinct(value.cast(pl.String), guess_clock if clock else guess, pl.Datetime("us"))


def written(value: pl.Expr, layout: str) -> pl.Expr:
    """Timestamps as text in a layout of DataBrew's tokens (``mm`` month, ``MM`` minutes, ``month`` its name)."""
    return per_distinct(value, lambda d: write(d, layout), pl.String())


def write(day: datetime.datetime, layout: str) -> str:
    """One moment in a layout of DataBrew's tokens; ``*`` writes a blank."""
    return _TOKENS.sub(lambda m: _WRITERS[m.group()](day), layout)


def _at(day: datetime.date, clock: re.Match[str]) -> datetime.datetime | None:
    hour, minute, second = (int(clock[n] or 0) for n in (1, 2, 3))
    if clock[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock[5].lower() == "pm" else 0)
    micro = int(((clock[4] or "") + "000000")[:6])
    try:
        found = datetime.datetime(day.year, day.month, day.day, hour, minute, second, micro)
        return found - _offset(clock[6])
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> datetime.timedelta:
    if not zone or zone == "Z":
        return datetime.timedelta()
    sign = -1 if zone[0] == "-" else 1
    return sign * datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))


def _date(year: str, month: int, day: int) -> datetime.date | None:
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= 70 else 2000
    try:
        return datetime.date(number, month, day)
    except ValueError:
        return None


def _two(first: int, second: int, year: str) -> datetime.date | None:
    month_first = _date(year, first, second)
    return month_first if month_first is not None or first <= 12 else _date(year, second, first)


def _named(name: str, day: str, year: str) -> datetime.date | None:
    month = _NUMBERS.get(name.lower())
    return None if month is None else _date(year, month, int(day))


_LAYOUTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], datetime.date | None]], ...] = (
    (
        re.compile(rf"(\d{{4}}){_SEPARATOR}(\d{{1,2}})\2(\d{{1,2}})(?!\d)", re.ASCII),
        lambda m: _date(m[1], int(m[3]), int(m[4])),
    ),
    (
        re.compile(rf"(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})\2(\d{{4}}|\d{{2}})(?!\d)", re.ASCII),
        lambda m: _two(int(m[1]), int(m[3]), m[4]),
    ),
    (
        re.compile(rf"(\d{{1,2}}){_SEPARATOR}(\d{{4}})\2(\d{{1,2}})(?!\d)", re.ASCII),
        lambda m: _date(m[3], int(m[4]), int(m[1])),
    ),
    (
        re.compile(r"([A-Za-z]{3,9})[-/. ](\d{1,2}),?[-/. ](\d{4})(?!\d)", re.ASCII),
        lambda m: _named(m[1], m[2], m[3]),
    ),
    (
        # Not with slashes: the Glue page has 02/june/2009 unreadable.
        re.compile(r"(\d{1,2})[-. ]([A-Za-z]{3,9}),?[-. ](\d{4})(?!\d)", re.ASCII),
        lambda m: _named(m[2], m[1], m[3]),
    ),
)
