"""The week that the demo and the end-to-end tests run: ISO week 2017-W46 of the example's data."""

from __future__ import annotations

from datetime import date, timedelta

from cleanrooms.windows import Week

WEEK = Week(date(2017, 11, 13))
# The example is set up for these days; some around the week show that the window is cut right.
DAYS = (WEEK.monday - timedelta(days=2), WEEK.sunday + timedelta(days=2))
SOURCES = ("crm_households", "campaign_exposures")
COLLABORATION = "retailer_brand"


def nightly_runs() -> tuple[str, str]:
    """Partition dates of the seven nights: a backfill of partitioned runs counts in these."""
    return _at(WEEK.monday, 0), _at(WEEK.sunday, 23)


def weekly_runs() -> tuple[str, str]:
    """Data interval of the weekly run: from the Monday that starts the week."""
    return _at(WEEK.monday, 0), _at(WEEK.monday, 23)


def _at(day: date, hour: int) -> str:
    return f"{day.isoformat()}T{hour:02d}:00:00Z"
