"""Which day or week a run is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from cleanrooms.errors import ConfigError
from cleanrooms.windows import Week, day_of, week_of


def context(key: str | None = None, start: datetime | None = None, **params: str) -> dict[str, object]:
    return {
        "dag_run": SimpleNamespace(partition_key=key, run_id="manual"),
        "data_interval_start": start,
        "params": params,
    }


def test_a_partition_key_is_the_day() -> None:
    assert day_of(context("2017-11-13")) == date(2017, 11, 13)


def test_a_parameter_wins_over_the_partition_key() -> None:
    assert day_of(context("2017-11-13", day="2017-11-01")) == date(2017, 11, 1)


def test_a_data_interval_is_read_in_the_declared_time_zone() -> None:
    late = datetime(2017, 11, 13, 23, 30, tzinfo=UTC)
    assert day_of(context(start=late), "Europe/Paris") == date(2017, 11, 14)


def test_a_weekly_run_reports_the_iso_week_in_which_its_interval_starts() -> None:
    assert week_of(context(start=datetime(2017, 11, 13, 6, tzinfo=UTC))).label == "2017-W46"


def test_a_week_can_be_asked_for_by_name() -> None:
    assert week_of(context(week="2017-W46")).monday == date(2017, 11, 13)


def test_the_first_days_of_january_may_belong_to_the_year_before() -> None:
    assert Week.of(date(2017, 1, 1)).label == "2016-W52"


def test_a_week_has_seven_days_from_monday_to_sunday() -> None:
    week = Week.of(date(2017, 11, 16))
    assert (week.days[0], week.days[-1], len(week.days)) == (date(2017, 11, 13), date(2017, 11, 19), 7)


def test_a_run_without_a_window_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="Trigger it with a partition key"):
        day_of(context())


def test_a_window_that_is_no_date_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither a day nor an ISO week"):
        day_of(context(day="yesterday"))
