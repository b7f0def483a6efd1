"""Calendar periods of budgets, in UTC: days, weeks from Sunday, months, and the whole life of a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LIFETIME = "LIFETIME"


def period(kind: str, at: float, created: float) -> tuple[float, float | None]:
    """Returns start and end of the period that holds ``at``, in epoch seconds; the end is not part of it.

    :param kind: ``CALENDAR_DAY``, ``CALENDAR_WEEK``, ``CALENDAR_MONTH`` or ``LIFETIME``
    :param created: when the budget was made, which is when a lifetime starts; it has no end
    """
    if kind == LIFETIME:
        return created, None
    day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "CALENDAR_DAY":
        start, end = day, day + timedelta(days=1)
    elif kind == "CALENDAR_WEEK":
        start = day - timedelta(days=day.isoweekday() % 7)
        end = start + timedelta(days=7)
    else:
        start = day.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    return start.timestamp(), end.timestamp()
