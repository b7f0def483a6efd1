"""The same night and the same week once more: nothing doubles, the same input gives the same bytes."""

from __future__ import annotations

import hashlib

import pytest

from tests.end_to_end.conftest import NIGHTS, WEEKLY, Ran
from tools import pipeline, results
from tools.week import WEEK, weekly_runs

pytestmark = pytest.mark.airflow


def digests(objects: dict[str, bytes]) -> dict[str, str]:
    return {key: hashlib.sha256(body).hexdigest() for key, body in objects.items()}


@pytest.fixture(scope="module")
def before(ran: Ran) -> dict[str, dict[str, str]]:
    return {bucket: digests(ran.objects(bucket)) for bucket in ("brand-lake", "brand-quarantine", "brand-bi")}


@pytest.fixture(scope="module")
def again(ran: Ran, before: dict[str, dict[str, str]]) -> dict[str, int]:
    """One night of each source and the week, run again; answers the number of queries before and after."""
    started = ran.started_queries()
    day = WEEK.days[2].isoformat()
    pipeline.backfill(ran.stack, NIGHTS, f"{day}T00:00:00Z", f"{day}T23:00:00Z", again=True)
    pipeline.backfill(ran.stack, [WEEKLY], *weekly_runs(), again=True)
    return {"before": started, "after": ran.started_queries()}


def test_the_lake_holds_the_same_objects_byte_for_byte(
    ran: Ran, before: dict[str, dict[str, str]], again: dict[str, int]
) -> None:
    assert digests(ran.objects("brand-lake")) == before["brand-lake"]


def test_the_quarantine_holds_the_same_rows(
    ran: Ran, before: dict[str, dict[str, str]], again: dict[str, int]
) -> None:
    assert digests(ran.objects("brand-quarantine")) == before["brand-quarantine"]


def test_clearing_the_week_asks_each_query_once_more(again: dict[str, int]) -> None:
    assert again["after"] - again["before"] == len(results.collaboration().queries)


def test_the_published_results_are_replaced_not_doubled(
    ran: Ran, before: dict[str, dict[str, str]], again: dict[str, int]
) -> None:
    parts = {k: v for k, v in digests(ran.objects("brand-bi")).items() if k.endswith(".parquet")}
    assert parts == {k: v for k, v in before["brand-bi"].items() if k.endswith(".parquet")}
    assert all(comparison.equal for comparison in results.compare(ran.stack, WEEK))


def test_the_catalog_has_each_partition_once(ran: Ran, again: dict[str, int]) -> None:
    glue = ran.client("glue")
    for table in ("crm_households", "campaign_exposures"):
        values = [
            p["Values"] for p in glue.get_partitions(DatabaseName="brand", TableName=table)["Partitions"]
        ]
        assert sorted(values) == [[day.isoformat()] for day in WEEK.days]
