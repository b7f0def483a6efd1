"""The reporting window of a run: which day a night ingests, which week a report covers.

A run knows its window in one of three ways, tried in this order: parameters given by a person,
the partition key (runs of ``CronPartitionTimetable`` have no logical date), the data interval.
A bare logical date is never used: nothing says whether it names the start or the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cleanrooms.errors import ConfigError


@dataclass(frozen=True)
class Week:
    """An ISO week (Monday to Sunday) in a declared time zone.

    >>> Week(date(2017, 11, 13)).label
    '2017-W46'
    """

    monday: date

    def __post_init__(self) -> None:
        if self.monday.isoweekday() != 1:
            raise ValueError(f"{self.monday} is not a Monday")

    @classmethod
    def of(cls, day: date) -> Week:
        """The ISO week that contains the day."""
        return cls(day - timedelta(days=day.isoweekday() - 1))

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.monday + timedelta(days=n) for n in range(7))

    @property
    def label(self) -> str:
        """ISO 8601 week name, used as partition value: ``2017-W46``."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02d}"


def day_of(context: Mapping[str, Any], timezone: str = "UTC") -> date:
    """Day that a nightly run ingests.

    :param context: Airflow's task context
    :param timezone: time zone in which the day is meant when only a data interval is known
    :raises ConfigError: the run says nothing from which a day follows
    """
    start = _start(context, ("day", "date"))
    return start if not isinstance(start, datetime) else start.astimezone(ZoneInfo(timezone)).date()


def week_of(context: Mapping[str, Any], timezone: str = "UTC") -> Week:
    """ISO week that a weekly run reports: the one in which its data interval starts.

    :raises ConfigError: the run says nothing from which a week follows
    """
    start = _start(context, ("week", "date"))
    day = start if not isinstance(start, datetime) else start.astimezone(ZoneInfo(timezone)).date()
    return Week.of(day)


def _start(context: Mapping[str, Any], names: tuple[str, ...]) -> date | datetime:
    params = context.get("params") or {}
    for name in names:
        if params.get(name):
            return _parse(str(params[name]), f"parameter {name!r}")
    run = context.get("dag_run")
    if key := getattr(run, "partition_key", None):
        return _parse(str(key), "the partition key")
    if (interval := context.get("data_interval_start")) is not None:
        return interval
    raise ConfigError(
        f"Run {getattr(run, 'run_id', '?')} has neither a partition key nor a data interval.",
        f"Trigger it with a partition key, a logical date or the parameter {names[0]!r} (YYYY-MM-DD).",
    )


def _parse(text: str, origin: str) -> date:
    try:
        if "W" in text:
            return datetime.strptime(text + "-1", "%G-W%V-%u").date()
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ConfigError(
            f"{origin} is {text!r}, which is neither a day nor an ISO week.",
            "Write it as 2017-11-13 or 2017-W46.",
        ) from None
