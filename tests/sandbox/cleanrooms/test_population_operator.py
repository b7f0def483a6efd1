"""The operator that fills intermediate tables, against the clean room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from cleanrooms.aws.operators.intermediate_table import CleanRoomsPopulateIntermediateTableOperator
from cleanrooms.errors import PermanentError, RuleViolationError
from sandbox.testing import REGION, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.sandbox.cleanrooms.intermediate import READ, create, get, open_up, share
from tests.sandbox.cleanrooms.lab import ACCOUNT, Lab, any_query, rows

HOLD = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "6"}


@pytest.fixture(scope="module")
def slow() -> Iterator[Sandbox]:
    """A sandbox whose queries stay STARTED for six seconds."""
    with running(environment=HOLD) as sandbox:
        yield sandbox


@pytest.fixture
def shop(slow: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name, value in {
        "AWS_ENDPOINT_URL": slow.endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    lab = Lab(slow)
    share(lab, any_query())
    return lab


def operator(lab: Lab, table: str, **more: Any) -> CleanRoomsPopulateIntermediateTableOperator:
    fixed = {"aws_conn_id": None, "region_name": REGION, "waiter_delay": 1, "waiter_max_attempts": 60}
    return CleanRoomsPopulateIntermediateTableOperator(
        task_id="fill", membership_id=lab.membership, table_id=table, **{**fixed, **more}
    )


def test_it_waits_for_the_rows_and_says_what_they_cost(shop: Lab) -> None:
    table = create(shop, "SELECT v.store, v.person AS people FROM visits v WHERE v.store = :store")
    result = operator(shop, table, parameters={"store": "south"}, payer_account_id=ACCOUNT).execute(
        context_of(Store())
    )
    version = get(shop, table)["intermediateTableVersion"]
    assert result == {
        "query_id": version["analysisId"],
        "table_id": table,
        "status": "SUCCESS",
        "duration_ms": result["duration_ms"],
        "billed_units": pytest.approx(16 * 2 * 60 / 3600, abs=1e-6),
    }
    open_up(shop, table)
    assert rows(shop.run(READ)) == {("south", "a"), ("south", "d")}


async def test_it_waits_in_the_triggerer(shop: Lab) -> None:
    table, context = create(shop), context_of(Store())
    task = operator(shop, table, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    path, arguments = deferred.value.trigger.serialize()
    event = await anext(import_string(path)(**arguments).run())
    result = task.resume_execution(deferred.value.method_name, {"event": event.payload}, context)
    assert result["status"] == "SUCCESS"
    assert get(shop, table)["status"] == "POPULATE_SUCCESS"


def test_a_population_whose_answer_was_lost_is_gone_on_with(shop: Lab) -> None:
    table, store = create(shop), Store()
    shop.aws.faults({"match": "POST .*/populate", "cut_after_response": True, "times": 1})
    with pytest.raises(Exception, match="populat"):
        operator(shop, table).execute(context_of(store))
    shop.aws.faults()
    operator(shop, table).execute(context_of(store, 2))
    versions = shop.brand.clean_rooms.list_intermediate_table_versions(
        membershipIdentifier=shop.membership, intermediateTableIdentifier=table
    )["intermediateTableVersionSummaries"]
    assert [version["status"] for version in versions] == ["POPULATE_SUCCESS"]


def test_killing_it_cancels_the_query(shop: Lab) -> None:
    table = create(shop)
    task = operator(shop, table, wait_for_completion=False)
    query = task.execute(context_of(Store()))["query_id"]
    task.on_kill()
    assert shop.wait(query)["status"] == "CANCELLED"
    assert get(shop, table)["status"] == "POPULATE_FAILED"


def test_a_rule_that_forbids_the_query_by_now_is_a_permanent_failure(shop: Lab) -> None:
    table = create(shop)
    tables = shop.retailer.clean_rooms.list_configured_tables()["configuredTableSummaries"]
    shop.retailer.clean_rooms.update_configured_table_analysis_rule(
        configuredTableIdentifier=tables[-1]["id"],
        analysisRuleType="CUSTOM",
        analysisRulePolicy={"v1": {"custom": {"allowedAnalyses": []}}},
    )
    with pytest.raises((PermanentError, RuleViolationError), match="does not allow this direct query"):
        operator(shop, table).execute(context_of(Store()))
