"""Calendar periods are UTC's; weeks begin on Sunday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.cleanrooms.periods import period


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("kind", "moment", "start", "end"),
    [
        ("CALENDAR_DAY", "2026-03-01T23:59:59", "2026-03-01", "2026-03-02"),
        ("CALENDAR_WEEK", "2026-11-21T23:59:59", "2026-11-15", "2026-11-22"),  # a Saturday
        ("CALENDAR_WEEK", "2026-11-22T00:00:00", "2026-11-22", "2026-11-29"),  # a Sunday
        ("CALENDAR_MONTH", "2026-12-31T12:00:00", "2026-12-01", "2027-01-01"),
        ("CALENDAR_MONTH", "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_a_period_begins_at_midnight(kind: str, moment: str, start: str, end: str) -> None:
    assert period(kind, at(moment), created=0) == (at(start), at(end))


def test_a_lifetime_begins_with_the_budget_and_does_not_end() -> None:
    assert period("LIFETIME", at("2026-03-01"), created=5.0) == (5.0, None)
