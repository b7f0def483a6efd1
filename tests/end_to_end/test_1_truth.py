"""The week's results are those that plain SQL finds in the raw, unhashed inputs."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import NIGHTS, Ran
from tools import results
from tools.week import WEEK

pytestmark = pytest.mark.airflow
QUERIES = [query.name for query in results.collaboration().queries]


@pytest.mark.parametrize("query", QUERIES)
def test_a_result_equals_the_truth(ran: Ran, query: str) -> None:
    comparison = next(c for c in ran.comparisons if c.query == query)
    assert comparison.published
    assert comparison.equal, f"published {comparison.published}\nexpected {comparison.expected}"


def test_every_day_of_both_sources_is_one_object_in_the_lake(ran: Ran) -> None:
    days = {f"dt={day}" for day in WEEK.days}
    for table in ("crm_households", "campaign_exposures"):
        keys = sorted(ran.objects("brand-lake", f"{table}/"))
        assert {key.split("/")[1] for key in keys} == days
        assert len(keys) == 7


def test_the_files_of_an_export_are_in_the_archive_afterwards(ran: Ran) -> None:
    inbound = ran.objects("brand-inbound", "campaign_exposures/")
    assert not [key for key in inbound if any(f"dt={day}" in key for day in WEEK.days)]
    archived = ran.objects("brand-inbound", "archive/")
    for day in WEEK.days:
        assert [key for key in archived if f"dt={day}" in key and key.endswith(".pgp")]


def test_bad_rows_are_in_the_quarantine_encrypted_with_its_key(ran: Ran) -> None:
    s3 = ran.client("s3")
    keys = list(ran.objects("brand-quarantine"))
    assert keys
    for key in keys:
        head = s3.head_object(Bucket="brand-quarantine", Key=key)
        assert head["ServerSideEncryption"] == "aws:kms"


def test_the_week_has_one_report_with_all_five_questions(ran: Ran) -> None:
    (page,) = [
        body for key, body in ran.objects("brand-reports").items() if key.endswith(f"{WEEK.label}.html")
    ]
    for query in results.collaboration().queries:
        assert query.title in page.decode()


def test_each_query_was_started_once(ran: Ran) -> None:
    assert ran.started_queries() == len(QUERIES)


def test_every_night_and_the_week_are_announced(ran: Ran) -> None:
    assert ran.accepted("Publish") == len(NIGHTS) * len(WEEK.days) + 1


def test_every_night_updates_its_asset_for_its_day(ran: Ran) -> None:
    events = ran.stack.api.call("GET", "/assets/events?limit=100")["asset_events"]
    seen = {(event["name"], event["partition_key"]) for event in events}
    tables = ("brand.crm_households", "brand.campaign_exposures")
    assert seen == {(table, day.isoformat()) for table in tables for day in WEEK.days}
    assert all(event["extra"]["rows_out"] > 0 for event in events)
