"""However a task ends before its query does, no query is left running; and none is cancelled needlessly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferralTimeout, TaskDeferred

from cleanrooms.aws.errors import QueryTimedOut
from cleanrooms.aws.flight import Flight
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger
from cleanrooms.errors import PermanentError, TransientError
from sandbox.wire import ServiceFault
from tests.aws.conftest import Store, context_of, crash
from tests.aws.service import MEMBERSHIP, Service

Make = Callable[..., Any]
CANCELLED = ("CANCELLING", "CANCELLED")


def deferred(make: Make, store: Store, **changes: Any) -> tuple[Any, TaskDeferred]:
    operator = make(deferrable=True, **changes)
    with pytest.raises(TaskDeferred) as info:
        operator.execute(context_of(store))
    return make(deferrable=True, **changes), info.value


def query_of(service: Service) -> str:
    (query_id,) = service.queries
    return query_id


def test_the_id_is_stored_before_the_task_defers(service: Service, make: Make, store: Store) -> None:
    deferred(make, store)
    assert store[Flight.QUERY] == query_of(service)


def test_a_killed_worker_task_cancels_its_query(service: Service, make: Make, store: Store) -> None:
    operator = make()
    operator.query_id = service.add("STARTED")
    operator.on_kill()
    assert service.status(operator.query_id) in CANCELLED


def test_a_task_killed_before_its_query_was_recorded_cancels_it_too(
    service: Service, make: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = make()
    crash(
        monkeypatch,
        "cleanrooms.aws.operators.protected_query.start",
        operator,
        context_of(store),
        after=True,
    )
    operator.on_kill()
    assert service.status(query_of(service)) in CANCELLED


def test_a_task_killed_before_it_did_anything_cancels_nothing(service: Service, make: Make) -> None:
    make().on_kill()
    assert not service.calls


def test_killing_a_task_whose_query_has_ended_is_harmless(service: Service, make: Make) -> None:
    operator = make()
    operator.query_id = service.add("SUCCESS")
    operator.on_kill()
    assert service.status(operator.query_id) == "SUCCESS"


def test_a_service_that_does_not_answer_does_not_disturb_the_kill(service: Service, make: Make) -> None:
    operator = make(botocore_config={"retries": {"total_max_attempts": 1}})
    operator.query_id = service.add("STARTED")
    service.faults["UpdateProtectedQuery"] = [ServiceFault("InternalServerException", "sorry")]
    operator.on_kill()
    assert service.calls["UpdateProtectedQuery"] == 1


def test_without_cancel_on_kill_the_query_runs_on(service: Service, make: Make) -> None:
    operator = make(cancel_on_kill=False)
    operator.query_id = service.add("STARTED")
    operator.on_kill()
    assert service.status(operator.query_id) == "STARTED"


async def test_a_deferred_task_that_a_person_ends_cancels_its_query(
    service: Service, make: Make, store: Store
) -> None:
    _, info = deferred(make, store)
    await info.trigger.on_kill()
    assert service.status(query_of(service)) in CANCELLED


async def test_the_trigger_leaves_the_query_alone_when_told_so(
    service: Service, make: Make, store: Store
) -> None:
    _, info = deferred(make, store, cancel_on_kill=False)
    await info.trigger.on_kill()
    assert service.calls["UpdateProtectedQuery"] == 0


async def test_the_triggers_kill_never_raises(service: Service) -> None:
    trigger = CleanRoomsProtectedQueryTrigger(
        MEMBERSHIP, service.add("SUCCESS"), aws_conn_id=None, region_name="us-east-1"
    )
    await trigger.on_kill()
    assert service.calls["UpdateProtectedQuery"] == 1


async def test_a_triggerer_that_stops_cancels_nothing(service: Service, make: Make, store: Store) -> None:
    _, info = deferred(make, store)
    await info.trigger.cleanup()
    assert service.calls["UpdateProtectedQuery"] == 0


def test_a_deferral_that_times_out_cancels_the_query(service: Service, make: Make, store: Store) -> None:
    operator, info = deferred(make, store, execution_timeout=timedelta(hours=1))
    assert info.timeout == timedelta(hours=1)
    with pytest.raises(QueryTimedOut, match="execution_timeout passed while it was deferred") as raised:
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, context_of(store))
    assert isinstance(raised.value.__context__, TaskDeferralTimeout)
    assert service.status(query_of(service)) in CANCELLED
    assert Flight.QUERY not in store


def test_a_trigger_that_crashed_leaves_the_query_for_the_retry(
    service: Service, make: Make, store: Store
) -> None:
    operator, _ = deferred(make, store)
    with pytest.raises(TaskDeferralError):
        operator.resume_execution("__fail__", {"error": "Trigger failure"}, context_of(store))
    result = make().execute(context_of(store, try_number=2))
    assert (service.started, result["query_id"]) == (1, query_of(service))


def test_used_up_attempts_cancel_the_query_of_a_waiting_worker(
    service: Service, make: Make, store: Store
) -> None:
    service.course = ["STARTED"]
    with pytest.raises(QueryTimedOut, match="waiting attempts were used up"):
        make(waiter_max_attempts=3).execute(context_of(store))
    assert service.status(query_of(service)) in CANCELLED
    assert service.calls["GetProtectedQuery"] == 3


async def test_used_up_attempts_cancel_the_query_of_a_deferred_task(
    service: Service, make: Make, store: Store
) -> None:
    service.course = ["STARTED"]
    operator, info = deferred(make, store, waiter_max_attempts=3)
    event = await anext(info.trigger.run())
    assert event.payload["status"] == "exhausted"
    with pytest.raises(QueryTimedOut, match="waiting attempts were used up"):
        operator.resume_execution("execute_complete", {"event": event.payload}, context_of(store))
    assert service.status(query_of(service)) in CANCELLED


async def test_without_cancel_on_kill_a_cleared_task_finds_the_query_that_outlived_its_wait(
    service: Service, make: Make, store: Store
) -> None:
    service.course = ["STARTED"]
    with pytest.raises(QueryTimedOut, match="the cleared task will find it"):
        make(waiter_max_attempts=2, cancel_on_kill=False).execute(context_of(store))
    service.courses[query_of(service)] = ["SUCCESS"]
    result = make().execute(context_of(store, try_number=2, max_tries=4))
    assert (service.started, result["query_id"]) == (1, query_of(service))


async def test_a_cleared_deferred_task_starts_afresh(service: Service, make: Make, store: Store) -> None:
    _, info = deferred(make, store)
    await info.trigger.on_kill()
    old = query_of(service)
    result = make().execute(context_of(store, try_number=2, max_tries=4))
    assert (service.started, result["query_id"] == old) == (2, False)


@pytest.mark.parametrize(("permanent", "kind"), [(True, PermanentError), (False, TransientError)])
def test_a_trigger_that_may_not_look_fails_the_task_and_keeps_the_query(
    service: Service, make: Make, store: Store, permanent: bool, kind: type[Exception]
) -> None:
    operator, _ = deferred(make, store)
    event = {
        "status": "error",
        "query_id": query_of(service),
        "adopted": False,
        "message": "refused",
        "todo": "allow it",
        "permanent": permanent,
    }
    with pytest.raises(kind, match="refused What to do: allow it"):
        operator.execute_complete(context_of(store), event)
    assert store[Flight.QUERY] == query_of(service)
    assert service.calls["UpdateProtectedQuery"] == 0


async def test_a_deferred_query_that_was_taken_up_and_then_cancelled_is_started_once_more(
    service: Service, make: Make, store: Store
) -> None:
    store[Flight.QUERY] = service.add("STARTED")
    operator, info = deferred(make, store)
    await info.trigger.on_kill()
    event = await anext(info.trigger.run())
    with pytest.raises(TaskDeferred) as again:
        operator.execute_complete(context_of(store), event.payload)
    assert service.started == 2
    assert again.value.trigger.serialize()[1]["adopted"] is False
