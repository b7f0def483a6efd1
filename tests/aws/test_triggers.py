"""Triggers survive Airflow's serialisation whole, and wait with patience."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from airflow.triggers.base import BaseTrigger

from cleanrooms.aws import triggers
from cleanrooms.aws.errors import CredentialsExpired
from cleanrooms.aws.triggers.databrew import CleanRoomsDataBrewJobTrigger
from cleanrooms.aws.triggers.export import ExportReadyTrigger
from cleanrooms.aws.triggers.glue_job import CleanRoomsGlueJobTrigger
from cleanrooms.aws.triggers.id_mapping_table import CleanRoomsIdMappingJobTrigger
from cleanrooms.aws.triggers.intermediate_table import CleanRoomsPopulationTrigger
from cleanrooms.aws.triggers.membership import CleanRoomsMembersActiveTrigger
from cleanrooms.aws.triggers.partitions import PartitionsReadyTrigger
from cleanrooms.aws.triggers.privacy_budget import CleanRoomsPrivacyBudgetTrigger
from cleanrooms.aws.triggers.protected_job import CleanRoomsProtectedJobTrigger
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger
from cleanrooms.aws.triggers.schema import CleanRoomsTablesReadyTrigger
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
WAIT: dict[str, Any] = {
    "waiter_delay": 7,
    "waiter_max_attempts": 9,
    "cancel_on_kill": True,
    "started_at": 1_500_000_000.5,
    **CONNECTION,
}
RUN = {"run_id": "00000000-0000-4000-8000-0000000000ab", **WAIT}
EVERY: dict[type, dict[str, Any]] = {
    CleanRoomsProtectedQueryTrigger: QUERY,
    ExportReadyTrigger: EXPORT,
    CleanRoomsProtectedJobTrigger: {"membership_id": MEMBERSHIP, **RUN},
    CleanRoomsPopulationTrigger: {"membership_id": MEMBERSHIP, **RUN},
    CleanRoomsIdMappingJobTrigger: {**RUN, "run_id": "household/0000000000004000"},
    CleanRoomsDataBrewJobTrigger: {"job_name": "clean", **RUN},
    CleanRoomsGlueJobTrigger: {"job_name": "clean", **RUN},
    CleanRoomsMembersActiveTrigger: {
        "subject": "collaboration c",
        "question": {"collaboration_id": COLLABORATION},
        **WAIT,
    },
    CleanRoomsTablesReadyTrigger: {
        "subject": "collaboration c",
        "question": {"collaboration_id": COLLABORATION, "tables": ["a"], "analysis_type": "DIRECT_ANALYSIS"},
        **WAIT,
    },
    CleanRoomsPrivacyBudgetTrigger: {
        "subject": "privacy budget of membership m",
        "question": {"membership_id": MEMBERSHIP, "at_least": 2, "aggregation": None, "fail_at_once": True},
        **WAIT,
    },
    PartitionsReadyTrigger: {
        "subject": "table lake.days",
        "question": {"database": "lake", "table": "days", "partitions": ["2017-03-06", ["a", "b"]]},
        **WAIT,
    },
}


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_argument_survives_the_way_to_the_triggerer(kind: Any) -> None:
    path, kwargs = kind(**EVERY[kind]).serialize()
    over_the_wire = deserialize(serialize(kwargs))
    row = Trigger(classpath=path, kwargs=over_the_wire)
    again = import_string(row.classpath)(**row.kwargs)
    assert type(again) is kind
    assert again.serialize() == (path, EVERY[kind])


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_the_triggerer_speaks_to_the_service_with_the_settings_of_the_task(kind: Any) -> None:
    hook = kind(**EVERY[kind]).hook()
    assert (hook.aws_conn_id, hook.region_name) == ("clean_rooms", "eu-west-1")
    assert hook.verify == "/certificates/ca.pem"
    assert hook.config.read_timeout == 5


def test_no_trigger_was_forgotten_here() -> None:
    folder = Path(triggers.__file__).parent
    modules = [import_module(f"cleanrooms.aws.triggers.{path.stem}") for path in folder.glob("[a-z]*.py")]
    there = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, BaseTrigger)
        and value.__module__ == module.__name__
        and module.__name__.rpartition(".")[2] not in ("polling", "waiting", "patient")
    }
    assert there == set(EVERY)


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
        if len(looks) == 1:
            raise CredentialsExpired("the session has ended")
        return trigger._event("done")

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
        "collaboration c",
        {"collaboration_id": COLLABORATION},
        waiter_delay=0,
        waiter_max_attempts=2,
        aws_conn_id=None,
        region_name="us-east-1",
    )
    assert (await event_of(trigger))["status"] == "exhausted"
    service.members[1] = ("444455556666", "ACTIVE")
    assert (await event_of(trigger))["status"] == "done"


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_500_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("cleanrooms.aws.watch.time.time", clock.time)
    monkeypatch.setattr("cleanrooms.aws.protected_query.time.sleep", clock.sleep)
    monkeypatch.setattr("cleanrooms.aws.triggers.polling.asyncio", SimpleNamespace(sleep=clock.sleep_async))
    return clock


class TestAWaitingHour:
    """At the defaults, and counted: what a query costs of the 20 GetProtectedQuery calls a second."""

    @pytest.fixture
    def running(self, service: Service, clock: Clock) -> str:
        """A query that ends after an hour of the clock."""
        query_id = service.add("STARTED")
        end = clock.now + 3600
        real = service.get_protected_query

        def look(caller: Any, **request: Any) -> Any:
            service.courses[query_id] = ["SUCCESS" if clock.now >= end else "STARTED"]
            return real(caller, **request)

        service.get_protected_query = look  # type: ignore[method-assign]
        return query_id

    async def test_in_the_triggerer_costs_at_most_130_looks(
        self, service: Service, make: Callable[..., Any], store: Store, clock: Clock, running: str
    ) -> None:
        store["cleanrooms_query_id"] = running
        with pytest.raises(TaskDeferred) as info:
            make(deferrable=True, waiter_delay=None, waiter_max_attempts=2760).execute(context_of(store))
        path, kwargs = info.value.trigger.serialize()
        event = await event_of(import_string(path)(**kwargs))
        assert event["status"] == "done"
        assert 100 < service.calls["GetProtectedQuery"] <= 130

    def test_in_a_worker_costs_at_most_130_looks(
        self, service: Service, make: Callable[..., Any], store: Store, clock: Clock, running: str
    ) -> None:
        store["cleanrooms_query_id"] = running
        task = make(deferrable=False, waiter_delay=None, waiter_max_attempts=2760)
        assert task.execute(context_of(store))["query_id"] == running
        assert 100 < service.calls["GetProtectedQuery"] <= 130

    async def test_throttled_from_its_first_minute_costs_less(
        self, service: Service, clock: Clock, running: str
    ) -> None:
        service.faults["GetProtectedQuery"] = [ServiceFault("ThrottlingException", "slow down")] * 8
        trigger = CleanRoomsProtectedQueryTrigger(
            MEMBERSHIP,
            running,
            aws_conn_id=None,
            region_name="us-east-1",
            botocore_config={"retries": {"total_max_attempts": 1}},
        )
        assert (await event_of(trigger))["status"] == "done"
        assert service.calls["GetProtectedQuery"] < 80
