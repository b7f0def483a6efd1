"""Triggers survive Airflow's serialisation whole, and wait with patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize

from cleanrooms.aws.triggers.export import ExportReadyTrigger
from cleanrooms.aws.triggers.membership import CleanRoomsMembersActiveTrigger
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger
from sandbox.wire import ServiceFault
from tests.aws.conftest import Store, context_of
from tests.aws.service import COLLABORATION, CUT_BEFORE, MEMBERSHIP, Service

CONNECTION = {
    "aws_conn_id": "clean_rooms",
    "region_name": "eu-west-1",
    "verify": "/certificates/ca.pem",
    "botocore_config": {"read_timeout": 5, "retries": {"mode": "standard"}},
}
QUERY: dict[str, Any] = {
    "membership_id": MEMBERSHIP,
    "query_id": "00000000-0000-4000-8000-0000000000aa",
    "adopted": True,
    "waiter_delay": 7,
    "waiter_max_attempts": 9,
    "cancel_on_kill": False,
    "started_at": 1_500_000_000.5,
    **CONNECTION,
}
EXPORT: dict[str, Any] = {
    "bucket": "inbound",
    "prefix": "campaigns/2017-03-06/",
    "manifest": "manifest.json",
    "pattern": "*.csv.gz.pgp",
    "quiet_seconds": 30.0,
    "archive_prefix": "archive/",
    "deadline": 1_500_000_000.5,
    "poke_interval": 10.0,
    **CONNECTION,
}
MEMBERS: dict[str, Any] = {
    "collaboration_id": COLLABORATION,
    "waiter_delay": 7,
    "waiter_max_attempts": 9,
    **CONNECTION,
}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (CleanRoomsProtectedQueryTrigger, QUERY),
        (ExportReadyTrigger, EXPORT),
        (CleanRoomsMembersActiveTrigger, MEMBERS),
    ],
)
def test_every_argument_survives_the_way_to_the_triggerer(kind: type, arguments: dict[str, Any]) -> None:
    path, kwargs = kind(**arguments).serialize()
    over_the_wire = deserialize(serialize(kwargs))
    row = Trigger(classpath=path, kwargs=over_the_wire)
    again = import_string(row.classpath)(**row.kwargs)
    assert type(again) is kind
    assert again.serialize() == (path, arguments)


def trigger_for(service: Service, *course: str, **changes: Any) -> CleanRoomsProtectedQueryTrigger:
    query_id = service.add("SUBMITTED")
    service.courses[query_id] = ["SUBMITTED", *course]
    arguments: dict[str, Any] = {
        "waiter_delay": 0,
        "waiter_max_attempts": 20,
        "aws_conn_id": None,
        "region_name": "us-east-1",
        "botocore_config": {"retries": {"total_max_attempts": 1}},
    }
    return CleanRoomsProtectedQueryTrigger(MEMBERSHIP, query_id, **{**arguments, **changes})


async def event_of(trigger: Any) -> dict[str, Any]:
    events = [event.payload async for event in trigger.run()]
    assert len(events) == 1
    return dict(events[0])


@pytest.mark.parametrize("end", ["SUCCESS", "FAILED", "CANCELLED", "TIMED_OUT"])
async def test_each_terminal_state_ends_the_wait(service: Service, end: str) -> None:
    trigger = trigger_for(service, "STARTED", "CANCELLING", end)
    assert await event_of(trigger) == {"status": "done", "query_id": trigger.query_id, "adopted": False}
    assert service.calls["GetProtectedQuery"] == 3


async def test_the_wait_polls_get_and_never_lists(service: Service) -> None:
    await event_of(trigger_for(service, "STARTED", "SUCCESS"))
    assert set(service.calls) == {"GetProtectedQuery"}


@pytest.mark.parametrize(
    "trouble",
    [
        ServiceFault("ThrottlingException", "slow down"),
        ServiceFault("InternalServerException", "sorry"),
        CUT_BEFORE,
    ],
    ids=["throttled", "internal", "cut"],
)
async def test_passing_trouble_does_not_end_the_wait(service: Service, trouble: Any) -> None:
    service.faults["GetProtectedQuery"] = [trouble] * 3
    assert (await event_of(trigger_for(service, "SUCCESS")))["status"] == "done"


async def test_throttling_without_end_uses_up_the_attempts(service: Service) -> None:
    service.faults["GetProtectedQuery"] = [ServiceFault("ThrottlingException", "slow down")] * 10
    trigger = trigger_for(service, "SUCCESS", waiter_max_attempts=4)
    assert (await event_of(trigger))["status"] == "exhausted"
    assert service.calls["GetProtectedQuery"] == 4


async def test_a_missing_permission_ends_the_wait_and_says_what_to_do(service: Service) -> None:
    service.faults["GetProtectedQuery"] = [ServiceFault("AccessDeniedException", "no")]
    event = await event_of(trigger_for(service, "SUCCESS"))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert "GetProtectedQuery on query" in event["message"]
    assert event["todo"]


async def test_a_restarted_triggerer_does_not_make_the_wait_longer(service: Service) -> None:
    trigger = trigger_for(
        service, "STARTED", waiter_delay=1, waiter_max_attempts=20, started_at=time.time() - 60
    )
    assert (await event_of(trigger))["status"] == "exhausted"
    assert service.calls["GetProtectedQuery"] == 1


async def test_expired_credentials_open_another_session(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = trigger_for(service, "SUCCESS")
    looks: list[int] = []

    async def look(client: Any, watch: Any) -> Any:
        looks.append(id(client))
        return None if len(looks) == 1 else trigger._event("done")

    monkeypatch.setattr(trigger, "_watch", look)
    assert (await event_of(trigger))["status"] == "done"
    assert len(looks) == 2


async def test_a_hundred_waits_share_one_loop(service: Service) -> None:
    triggers = [trigger_for(service, "STARTED", "SUCCESS") for _ in range(10)]
    events = await asyncio.gather(*(event_of(trigger) for trigger in triggers))
    assert {event["status"] for event in events} == {"done"}


async def test_what_the_operator_deferred_ends_in_its_result(
    service: Service, make: Callable[..., Any], store: Store
) -> None:
    with pytest.raises(TaskDeferred) as info:
        make(deferrable=True).execute(context_of(store))
    path, kwargs = info.value.trigger.serialize()
    event = await event_of(import_string(path)(**kwargs))
    result = make(deferrable=True).resume_execution(
        info.value.method_name, {"event": event, **(info.value.kwargs or {})}, context_of(store)
    )
    assert (result["status"], service.started) == ("SUCCESS", 1)


def test_the_operator_hands_on_region_verify_and_botocore_config(
    service: Service, make: Callable[..., Any], store: Store
) -> None:
    config = {"read_timeout": 5}
    with pytest.raises(TaskDeferred) as info:
        make(deferrable=True, verify=False, botocore_config=config, region_name="eu-west-1").execute(
            context_of(store)
        )
    kwargs = info.value.trigger.serialize()[1]
    assert (kwargs["region_name"], kwargs["verify"], kwargs["botocore_config"]) == (
        "eu-west-1",
        False,
        config,
    )


async def test_the_members_trigger_waits_for_the_invited(service: Service) -> None:
    service.members = [("111122223333", "ACTIVE"), ("444455556666", "INVITED"), ("555566667777", "LEFT")]
    trigger = CleanRoomsMembersActiveTrigger(
        COLLABORATION, waiter_delay=0, waiter_max_attempts=2, aws_conn_id=None, region_name="us-east-1"
    )
    assert (await event_of(trigger))["status"] == "error"
    service.members[1] = ("444455556666", "ACTIVE")
    assert (await event_of(trigger))["status"] == "success"
