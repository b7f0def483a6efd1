"""A logical run pays for one query, whatever happens between the call and what we know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cleanrooms.aws.errors import QueryCancelled, ResponseLost
from cleanrooms.aws.flight import Flight
from cleanrooms.errors import PermanentError, RuleViolationError
from sandbox.wire import ServiceFault
from tests.aws.conftest import ARGUMENTS, Store, context_of, crash
from tests.aws.service import CUT, CUT_BEFORE, OTHER_MEMBERSHIP, Service

Make = Callable[..., Any]
OUR_OUTPUT = {
    "outputConfiguration": {
        "s3": {
            "resultFormat": "PARQUET",
            "bucket": ARGUMENTS["result_bucket"],
            "keyPrefix": ARGUMENTS["result_prefix"],
        }
    }
}


WAITING = "cleanrooms.aws.operators.protected_query.wait"
RECORDING = "cleanrooms.aws.flight.Flight.took_off"


def test_a_first_try_starts_one_query_and_returns_ids_place_and_numbers(
    service: Service, make: Make, store: Store
) -> None:
    result = make().execute(context_of(store))
    (query_id,) = service.queries
    assert result == {
        "query_id": query_id,
        "status": "SUCCESS",
        "membership_id": ARGUMENTS["membership_id"],
        "output_location": f"s3://results/weekly/overlap/2017-W10/{query_id}/",
        "receivers": [],
        "duration_ms": 61_000,
        "billed_units": 0.5,
    }


def test_when_finished_the_store_keeps_only_what_the_eye_and_a_lost_end_need(
    service: Service, make: Make, store: Store
) -> None:
    result = make().execute(context_of(store))
    assert store == {"last_query_id": result["query_id"], "cleanrooms_last_generation": [3, 0]}


def test_a_retry_goes_on_with_the_query_that_is_in_flight(
    service: Service, make: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(monkeypatch, WAITING, make(), context_of(store))
    result = make().execute(context_of(store, try_number=2))
    assert service.started == 1
    assert result["query_id"] in service.queries


@pytest.mark.parametrize("meanwhile", ["SUBMITTED", "STARTED", "SUCCESS"])
def test_a_crash_between_acceptance_and_record_leads_to_the_same_query(
    service: Service, make: Make, store: Store, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    crash(monkeypatch, RECORDING, make(), context_of(store))
    (query_id,) = service.queries
    service.queries[query_id]["status"] = meanwhile
    result = make().execute(context_of(store, try_number=2))
    assert (service.started, result["query_id"]) == (1, query_id)


def test_a_lost_response_is_not_repeated_but_looked_for(service: Service, make: Make, store: Store) -> None:
    service.faults["StartProtectedQuery"] = [CUT]
    make().execute(context_of(store))
    assert (service.calls["StartProtectedQuery"], service.started) == (1, 1)


def test_an_internal_error_after_acceptance_is_treated_as_a_lost_response(
    service: Service, make: Make, store: Store
) -> None:
    accepted = service.add("STARTED", resultConfiguration=OUR_OUTPUT)
    service.courses[accepted] = ["STARTED", "SUCCESS"]
    service.queries[accepted]["status"] = "RECEIVED"  # not listed before the call
    real = service.start_protected_query

    def accept_and_fail(*args: Any, **kwargs: Any) -> Any:
        service.queries[accepted]["status"] = "STARTED"
        raise ServiceFault("InternalServerException", "sorry")

    service.start_protected_query = accept_and_fail  # type: ignore[method-assign]
    result = make().execute(context_of(store))
    service.start_protected_query = real  # type: ignore[method-assign]
    assert (service.calls["StartProtectedQuery"], result["query_id"]) == (1, accepted)


def test_a_call_that_never_arrived_is_left_to_the_retry_which_looks_first(
    service: Service, make: Make, store: Store
) -> None:
    service.faults["StartProtectedQuery"] = [CUT_BEFORE]
    with pytest.raises(
        ResponseLost, match="No query that writes to s3://results/weekly/overlap/2017-W10/ shows"
    ):
        make().execute(context_of(store))
    assert service.started == 0
    looked = service.calls["ListProtectedQueries"]
    make().execute(context_of(store, try_number=2))
    assert service.started == 1
    assert service.calls["ListProtectedQueries"] > looked


def test_an_answer_lost_for_good_is_found_by_the_next_try_though_it_succeeded_meanwhile(
    service: Service, make: Make, store: Store
) -> None:
    service.faults["StartProtectedQuery"] = [CUT]
    service.faults["ListProtectedQueries"] = [
        None,
        None,
        *[ServiceFault("AccessDeniedException", "not yet")] * 2,
    ]
    with pytest.raises(ResponseLost):
        make().execute(context_of(store))
    service.queries[next(iter(service.queries))]["status"] = "SUCCESS"
    service.courses[next(iter(service.queries))] = ["SUCCESS"]
    make().execute(context_of(store, try_number=2))
    assert service.started == 1


def test_clearing_a_finished_task_runs_it_anew(service: Service, make: Make, store: Store) -> None:
    first = make().execute(context_of(store, try_number=1, max_tries=3))
    second = make().execute(context_of(store, try_number=2, max_tries=4))
    third = make().execute(context_of(store, try_number=3, max_tries=5))
    assert service.started == 3
    assert len({first["query_id"], second["query_id"], third["query_id"]}) == 3


def test_a_worker_lost_after_the_end_but_before_airflow_knew_does_not_pay_again(
    service: Service, make: Make, store: Store
) -> None:
    first = make().execute(context_of(store, try_number=1, max_tries=3))
    second = make().execute(context_of(store, try_number=2, max_tries=3))
    assert (service.started, second) == (1, first)


@pytest.mark.parametrize("ended", ["FAILED", "CANCELLED", "CANCELLING", "TIMED_OUT"])
def test_a_query_that_ended_badly_or_is_being_cancelled_is_not_taken_up(
    service: Service, make: Make, store: Store, ended: str
) -> None:
    old = service.add(ended, resultConfiguration=OUR_OUTPUT)
    store["cleanrooms_query_id"] = old
    result = make().execute(context_of(store, try_number=2))
    assert result["query_id"] != old


def test_a_stored_query_that_the_service_no_longer_knows_is_started_again(
    service: Service, make: Make, store: Store
) -> None:
    store["cleanrooms_query_id"] = "00000000-0000-4000-8000-0000000000ff"
    make().execute(context_of(store, try_number=2))
    assert service.started == 1


def test_a_query_that_was_cancelled_after_it_was_taken_up_is_started_once_more(
    service: Service, make: Make, store: Store
) -> None:
    old = service.add("STARTED", resultConfiguration=OUR_OUTPUT)
    service.courses[old] = ["STARTED", "STARTED", "CANCELLING", "CANCELLED"]
    store["cleanrooms_query_id"] = old
    result = make().execute(context_of(store, try_number=2))
    assert (service.started, result["status"]) == (2, "SUCCESS")
    assert result["query_id"] != old


def test_a_query_of_our_own_try_that_somebody_cancels_is_not_started_again(
    service: Service, make: Make, store: Store
) -> None:
    service.course = ["STARTED", "CANCELLING", "CANCELLED"]
    with pytest.raises(QueryCancelled, match="was cancelled from outside this task"):
        make().execute(context_of(store))
    assert service.started == 1


def test_a_second_scheduler_joins_the_query_that_runs_for_the_same_prefix(
    service: Service, make: Make, store: Store
) -> None:
    running = service.add("STARTED", resultConfiguration=OUR_OUTPUT)
    service.courses[running] = ["STARTED", "SUCCESS"]
    assert make().execute(context_of(store))["query_id"] == running


def test_a_finished_query_of_another_run_is_not_taken_for_ours(
    service: Service, make: Make, store: Store
) -> None:
    other = service.add("SUCCESS", resultConfiguration=OUR_OUTPUT)
    assert make().execute(context_of(store))["query_id"] != other


@pytest.mark.parametrize(
    "fields",
    [
        {"membership": OTHER_MEMBERSHIP, "resultConfiguration": OUR_OUTPUT},
        {
            "resultConfiguration": {
                "outputConfiguration": {
                    "s3": {"resultFormat": "CSV", "bucket": "results", "keyPrefix": "weekly/overlap/2017-W1"}
                }
            }
        },
        {"resultConfiguration": {"outputConfiguration": {"member": {"accountId": "444455556666"}}}},
        {},
    ],
    ids=["another member's", "another prefix", "for a member", "no configuration"],
)
def test_queries_of_others_are_left_alone(
    service: Service, make: Make, store: Store, fields: dict[str, Any]
) -> None:
    other = service.add("STARTED", **fields)
    assert make().execute(context_of(store))["query_id"] != other


def test_force_new_query_starts_another_beside_the_one_that_runs(
    service: Service, make: Make, store: Store
) -> None:
    running = service.add("STARTED", resultConfiguration=OUR_OUTPUT)
    store["cleanrooms_query_id"] = running
    result = make(force_new_query="True").execute(context_of(store))
    assert (service.started, result["query_id"] == running) == (2, False)


def test_a_retry_of_a_forced_query_does_not_force_a_third(
    service: Service, make: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = service.add("STARTED", age=1.0, resultConfiguration=OUR_OUTPUT)
    store["cleanrooms_query_id"] = running
    crash(monkeypatch, RECORDING, make(force_new_query=True), context_of(store))
    result = make(force_new_query=True).execute(context_of(store, try_number=2))
    assert (service.started, result["query_id"] == running) == (2, False)


@pytest.mark.parametrize("no", [False, "False", "", "none"])
def test_force_new_query_renders_to_no(service: Service, make: Make, store: Store, no: Any) -> None:
    running = service.add("STARTED", resultConfiguration=OUR_OUTPUT)
    service.courses[running] = ["STARTED", "SUCCESS"]
    assert make(force_new_query=no).execute(context_of(store))["query_id"] == running


def test_a_result_for_a_member_is_recognised_by_the_claim_and_the_request(
    service: Service, make: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"result_bucket": None, "result_prefix": None, "receiver_account_ids": ["444455556666"]}
    crash(monkeypatch, RECORDING, make(**changes), context_of(store))
    result = make(**changes).execute(context_of(store, try_number=2))
    assert (service.started, result["receivers"]) == (1, ["444455556666"])


def test_without_a_claim_a_like_query_for_a_member_is_not_taken_up(
    service: Service, make: Make, store: Store
) -> None:
    changes = {"result_bucket": None, "result_prefix": None, "receiver_account_ids": ["444455556666"]}
    other = service.add(
        "STARTED",
        sqlParameters={"queryString": ARGUMENTS["sql"]},
        resultConfiguration={"outputConfiguration": {"member": {"accountId": "444455556666"}}},
    )
    assert make(**changes).execute(context_of(store))["query_id"] != other


def test_a_claim_that_cannot_be_written_stops_the_task_before_anything_is_paid(
    service: Service, make: Make, store: Store
) -> None:
    store.broken.add(Flight.CLAIM)
    with pytest.raises(RuntimeError, match="the API server is away"):
        make().execute(context_of(store))
    assert service.calls["StartProtectedQuery"] == 0


def test_an_id_that_cannot_be_written_loses_nothing(service: Service, make: Make, store: Store) -> None:
    store.broken.add(Flight.QUERY)
    assert make().execute(context_of(store))["status"] == "SUCCESS"
    assert Flight.CLAIM not in store


def test_without_a_store_a_retry_finds_the_query_by_its_prefix(service: Service, make: Make) -> None:
    lost = service.add("SUCCESS", resultConfiguration=OUR_OUTPUT)
    assert make().execute(context_of(None, try_number=2))["query_id"] == lost


def test_without_a_store_a_lost_response_is_looked_for_all_the_same(service: Service, make: Make) -> None:
    service.faults["StartProtectedQuery"] = [CUT]
    make().execute(context_of(None))
    assert service.started == 1


@pytest.mark.parametrize(
    "passing",
    [
        ServiceFault("ThrottlingException", "slow down"),
        ServiceFault("ValidationException", "role unknown", reason="IAM_SYNCHRONIZATION_DELAY"),
    ],
    ids=["throttled", "IAM delay"],
)
def test_a_refusal_that_passes_soon_is_waited_for(
    service: Service, make: Make, store: Store, passing: ServiceFault
) -> None:
    service.faults["StartProtectedQuery"] = [passing, passing]
    make().execute(context_of(store))
    assert (service.calls["StartProtectedQuery"], service.started) == (3, 1)


def test_a_refused_start_leaves_no_claim(service: Service, make: Make, store: Store) -> None:
    service.faults["StartProtectedQuery"] = [
        ServiceFault(
            "ValidationException", "Column(s) [email] is not allowed in select", reason="INVALID_QUERY"
        )
    ]
    with pytest.raises(RuleViolationError, match=r"Column\(s\) \[email\] is not allowed in select"):
        make().execute(context_of(store))
    assert store == {}


def test_a_first_try_without_permission_to_list_goes_on(service: Service, make: Make, store: Store) -> None:
    service.faults["ListProtectedQueries"] = [ServiceFault("AccessDeniedException", "no")] * 2
    assert make().execute(context_of(store))["status"] == "SUCCESS"


def test_after_a_lost_answer_listing_must_be_allowed(service: Service, make: Make, store: Store) -> None:
    store[Flight.CLAIM] = {"at": "2017-03-06T00:00:00+00:00", "request": "x", "forced": False}
    service.faults["ListProtectedQueries"] = [ServiceFault("AccessDeniedException", "no")] * 2
    with pytest.raises(PermanentError, match=r"ListProtectedQueries on membership .* was refused"):
        make().execute(context_of(store))
    assert service.started == 0


def test_a_query_whose_request_changed_meanwhile_is_still_waited_for(
    service: Service,
    make: Make,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    crash(monkeypatch, RECORDING, make(), context_of(store))
    make(sql="SELECT 1").execute(context_of(store, try_number=2))
    assert service.started == 1
    assert "The request was changed since query" in caplog.text


def test_not_waiting_returns_the_submitted_query(service: Service, make: Make, store: Store) -> None:
    result = make(wait_for_completion=False).execute(context_of(store))
    assert (result["status"], result["output_location"]) == ("SUBMITTED", None)
