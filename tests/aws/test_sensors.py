"""Sensors: looking once, and waiting in the triggerer."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred

from cleanrooms.aws.errors import QueryCancelled
from cleanrooms.aws.sensors.membership import CleanRoomsMembersActiveSensor
from cleanrooms.aws.sensors.protected_query import CleanRoomsProtectedQuerySensor
from cleanrooms.errors import PermanentError, TransientQueryError
from sandbox.wire import ServiceFault
from tests.aws.conftest import Store, context_of
from tests.aws.service import COLLABORATION, MEMBERSHIP, Service

QUICK: dict[str, Any] = {
    "task_id": "wait",
    "mode": "poke",
    "poke_interval": 0,
    "timeout": 30,
    "aws_conn_id": None,
    "region_name": "us-east-1",
    "deferrable": False,
}


def sensor_for(service: Service, *course: str, **changes: Any) -> CleanRoomsProtectedQuerySensor:
    query_id = service.add("SUBMITTED")
    service.courses[query_id] = ["SUBMITTED", *course]
    return CleanRoomsProtectedQuerySensor(membership_id=MEMBERSHIP, query_id=query_id, **{**QUICK, **changes})


def test_a_query_is_waited_for_and_summed_up(service: Service, store: Store) -> None:
    result = sensor_for(service, "STARTED", "STARTED", "SUCCESS").execute(context_of(store))
    assert (result["status"], result["billed_units"]) == ("SUCCESS", 0.5)


@pytest.mark.parametrize(
    ("end", "kind"),
    [("FAILED", TransientQueryError), ("CANCELLED", QueryCancelled), ("TIMED_OUT", PermanentError)],
)
def test_a_query_that_ends_without_success_fails_the_sensor(
    service: Service, store: Store, end: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        sensor_for(service, end).execute(context_of(store))


def test_throttling_is_not_an_end(service: Service, store: Store) -> None:
    sensor = sensor_for(service, "SUCCESS", botocore_config={"retries": {"total_max_attempts": 1}})
    service.faults["GetProtectedQuery"] = [ServiceFault("ThrottlingException", "slow down")]
    assert sensor.execute(context_of(store))["status"] == "SUCCESS"


def test_a_query_of_nobody_fails_at_once(service: Service, store: Store) -> None:
    sensor = CleanRoomsProtectedQuerySensor(
        membership_id=MEMBERSHIP, query_id="00000000-0000-4000-8000-0000000000ff", **QUICK
    )
    with pytest.raises(PermanentError, match="ResourceNotFoundException"):
        sensor.execute(context_of(store))


async def test_deferred_it_waits_without_a_slot_and_never_cancels(service: Service, store: Store) -> None:
    sensor = sensor_for(service, "STARTED", "SUCCESS", deferrable=True)
    with pytest.raises(TaskDeferred) as info:
        sensor.execute(context_of(store))
    await info.value.trigger.on_kill()
    event = await anext(info.value.trigger.run())
    result = sensor.execute_complete(context_of(store), event.payload)
    assert (result["status"], service.calls["UpdateProtectedQuery"]) == ("SUCCESS", 0)


def test_deferred_it_times_out_as_a_sensor_does(service: Service, store: Store) -> None:
    sensor = sensor_for(service, "STARTED", deferrable=True)
    event = {"status": "exhausted", "query_id": sensor.query_id, "adopted": False}
    with pytest.raises(AirflowSensorTimeout, match="was waited for in vain for 30 s"):
        sensor.execute_complete(context_of(store), event)


def test_the_members_sensor_names_who_is_missing(
    service: Service, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    service.members = [("111122223333", "ACTIVE"), ("444455556666", "INVITED"), ("555566667777", "LEFT")]
    sensor = CleanRoomsMembersActiveSensor(collaboration_id=COLLABORATION, **QUICK)
    assert not sensor.poke(context_of(store))
    service.members[1] = ("444455556666", "ACTIVE")
    assert sensor.poke(context_of(store))


def test_the_members_sensor_defers_only_when_somebody_is_missing(service: Service, store: Store) -> None:
    sensor = CleanRoomsMembersActiveSensor(collaboration_id=COLLABORATION, **{**QUICK, "deferrable": True})
    assert sensor.execute(context_of(store)) is None
    service.members = [("444455556666", "INVITED")]
    with pytest.raises(TaskDeferred):
        sensor.execute(context_of(store))
    with pytest.raises(AirflowSensorTimeout, match=f"collaboration {COLLABORATION} was waited for in vain"):
        sensor.execute_complete(context_of(store), {"status": "exhausted"})
