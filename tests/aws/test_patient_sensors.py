"""Sensors that say what they wait for: tables, budgets, partitions, jobs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, TaskDeferred
from airflow.sdk.module_loading import import_string
from botocore.exceptions import ClientError

from cleanrooms.aws.errors import BudgetExhausted
from cleanrooms.aws.sensors.membership import CleanRoomsMembersActiveSensor
from cleanrooms.aws.sensors.partitions import PartitionsReadySensor
from cleanrooms.aws.sensors.privacy_budget import CleanRoomsPrivacyBudgetSensor
from cleanrooms.aws.sensors.protected_job import CleanRoomsProtectedJobSensor
from cleanrooms.aws.sensors.schema import CleanRoomsTablesReadySensor
from cleanrooms.aws.triggers.polling import Seen
from cleanrooms.errors import PermanentError, ProtectedQueryError
from sandbox.testing import ACCOUNT, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.remote import ARN, TABLE, Remote
from tests.aws.service import COLLABORATION, MEMBERSHIP
from tests.aws.test_jobs import TEMPLATE
from tests.aws.test_on_sandbox import connect
from tests.sandbox.cleanrooms.lab import Lab, any_query

COLUMNS = ["email_key", "segment"]


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def lab(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Lab:
    connect(monkeypatch, aws.endpoint, ACCOUNT, "test")
    found = Lab(aws)
    found.brand.csv_table("segments", COLUMNS, [("a", "news")])
    return found


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    with Remote() as service:
        connect(monkeypatch, service.endpoint, ACCOUNT, "test")
        yield service


def sensor(kind: Any, **arguments: Any) -> Any:
    return kind(task_id="look", aws_conn_id="clean_rooms", **{"deferrable": False, **arguments})


def deferred(one: Any) -> Any:
    """The trigger of a sensor that defers, as the triggerer makes it."""
    with pytest.raises(TaskDeferred) as info:
        one.execute(context_of(Store()))
    path, kwargs = info.value.trigger.serialize()
    return import_string(path)(**kwargs)


async def resumed(one: Any, trigger: Any) -> Any:
    """What the task comes to when the trigger's wait is over."""
    (event,) = [event.payload async for event in trigger.run()]
    return one.resume_execution("execute_complete", {"event": event}, context_of(Store()))


def poke(one: Any) -> bool:
    return bool(one.poke(context_of(Store())))


def test_long_waits_take_no_worker_slot_by_default() -> None:
    look = sensor(CleanRoomsProtectedJobSensor, membership_id="m", job_id="j")
    assert (
        look.mode,
        sensor(CleanRoomsProtectedJobSensor, membership_id="m", job_id="j", mode="poke").mode,
    ) == (
        "reschedule",
        "poke",
    )


def test_a_table_is_waited_for_until_all_its_rules_are_there(lab: Lab) -> None:
    look = sensor(CleanRoomsTablesReadySensor, collaboration_id=lab.collaboration, tables=["segments"])
    assert str(look.lacking(context_of(Store()))).startswith("segments: ResourceNotFoundException")
    configured = lab.brand.configure("segments", COLUMNS)
    association = lab.brand.associate(lab.membership, configured, "segments")
    assert look.lacking(context_of(Store())) == "segments: NOT_READY (ANALYSIS_RULE_MISSING)"
    lab.brand.rule(configured, "CUSTOM", any_query())
    assert not poke(look)
    lab.brand.receive(lab.membership, association, "CUSTOM", [ACCOUNT])
    assert poke(look)


def test_a_collaboration_that_is_not_ours_fails_at_once(lab: Lab) -> None:
    look = sensor(CleanRoomsTablesReadySensor, collaboration_id=COLLABORATION, tables=["segments"])
    with pytest.raises(PermanentError, match=f"BatchGetSchema on collaboration {COLLABORATION} was refused"):
        poke(look)


def test_partitions_are_waited_for_and_the_missing_ones_are_named(lab: Lab) -> None:
    lab.brand.table("days", {"n": "int"}, "serde", {}, {}, {"dt": "string"})
    days = [f"2017-03-0{day}" for day in range(1, 8)]
    look = sensor(PartitionsReadySensor, database=lab.brand.database, table="days", partitions=days)
    lab.brand.partition("days", ["2017-03-01"], ["dt"], None)
    assert look.lacking(context_of(Store())) == (
        "6 partitions are missing: 2017-03-02, 2017-03-03, 2017-03-04, 2017-03-05, 2017-03-06 …"
    )
    for day in days[1:]:
        lab.brand.partition("days", [day], ["dt"], None)
    assert poke(look)


def budget(**kinds: int) -> dict[str, Any]:
    counts = [{"type": kind, "maxCount": 10, "remainingCount": left} for kind, left in kinds.items()]
    return _summary("DIFFERENTIAL_PRIVACY", {"differentialPrivacy": {"aggregations": counts, "epsilon": 3}})


def access(left: int) -> dict[str, Any]:
    arn = f"arn:aws:cleanrooms:us-east-1:{ACCOUNT}:membership/{MEMBERSHIP}/configuredtableassociation/{TABLE}"
    details = [
        {"startTime": time.time(), "remainingBudget": left, "budget": 5, "budgetType": "CALENDAR_MONTH"}
    ]
    one = {"resourceArn": arn, "details": details, "aggregateRemainingBudget": left}
    return _summary("ACCESS_BUDGET", {"accessBudget": one})


def _summary(kind: str, shown: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": TABLE,
        "privacyBudgetTemplateId": TABLE,
        "privacyBudgetTemplateArn": f"{ARN}/privacybudgettemplate/{TABLE}",
        "membershipId": MEMBERSHIP,
        "membershipArn": ARN,
        "collaborationId": COLLABORATION,
        "collaborationArn": f"arn:aws:cleanrooms:us-east-1:{ACCOUNT}:collaboration/{COLLABORATION}",
        "type": kind,
        "createTime": time.time(),
        "updateTime": time.time(),
        "budget": shown,
    }


@pytest.mark.parametrize(
    ("budgets", "asked", "lacking"),
    [
        ([], {}, "there is no DIFFERENTIAL_PRIVACY budget"),
        ([budget(COUNT=3, SUM=0)], {}, "SUM has 0 left"),
        ([budget(COUNT=3, SUM=0)], {"aggregation": "COUNT"}, None),
        ([budget(COUNT=3)], {"at_least": "4"}, "COUNT has 3 left"),
        ([access(0)], {"budget_type": "ACCESS_BUDGET"}, f"{TABLE} CALENDAR_MONTH has 0 left"),
        ([access(1)], {"budget_type": "ACCESS_BUDGET"}, None),
    ],
)
def test_a_budget_is_looked_at_by_what_is_left(
    remote: Remote, budgets: list[dict[str, Any]], asked: dict[str, Any], lacking: str | None
) -> None:
    remote.budgets = budgets
    look = sensor(CleanRoomsPrivacyBudgetSensor, membership_id=MEMBERSHIP, **asked)
    seen = look.lacking(context_of(Store()))
    assert seen is None if lacking is None else str(seen).endswith(lacking)


def test_an_exhausted_budget_may_fail_at_once(remote: Remote) -> None:
    remote.budgets = [budget(COUNT=0)]
    with pytest.raises(BudgetExhausted, match="COUNT has 0 left"):
        poke(sensor(CleanRoomsPrivacyBudgetSensor, membership_id=MEMBERSHIP, fail_at_once=True))


def test_a_job_is_waited_for_until_it_succeeds(remote: Remote) -> None:
    remote.course = ["STARTED", "SUCCESS"]
    job = remote.start_protected_job(None, jobParameters={"analysisTemplateArn": TEMPLATE})  # type: ignore[arg-type]
    look = sensor(CleanRoomsProtectedJobSensor, membership_id=MEMBERSHIP, job_id=job["protectedJob"]["id"])
    assert [poke(look), poke(look)] == [False, True]


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
def test_a_job_that_failed_is_not_waited_for(remote: Remote, end: str) -> None:
    remote.course = [end]
    job = remote.start_protected_job(None, jobParameters={"analysisTemplateArn": TEMPLATE})  # type: ignore[arg-type]
    with pytest.raises(ProtectedQueryError, match="Protected job"):
        poke(sensor(CleanRoomsProtectedJobSensor, membership_id=MEMBERSHIP, job_id=job["protectedJob"]["id"]))


class TestDeferred:
    """The same looks in the triggerer."""

    WAIT: ClassVar[dict[str, Any]] = {"deferrable": True, "poke_interval": 1, "timeout": 300}

    async def test_a_table_is_waited_for(self, lab: Lab) -> None:
        tables = {"collaboration_id": lab.collaboration, "tables": ["segments"]}
        look = sensor(CleanRoomsTablesReadySensor, **tables, **self.WAIT)
        waiting = asyncio.create_task(resumed(look, deferred(look)))
        await asyncio.sleep(1.5)
        assert not waiting.done()
        lab.brand.share(lab.membership, "segments", COLUMNS, "CUSTOM", any_query())
        await waiting

    async def test_partitions_are_waited_for(self, lab: Lab) -> None:
        lab.brand.table("days", {"n": "int"}, "serde", {}, {}, {"dt": "string"})
        days = {"database": lab.brand.database, "table": "days", "partitions": [["2017-03-06"]]}
        look = sensor(PartitionsReadySensor, **days, **self.WAIT)
        trigger = deferred(look)
        lab.brand.partition("days", ["2017-03-06"], ["dt"], None)
        await resumed(look, trigger)

    async def test_a_budget_is_waited_for(self, lab: Lab) -> None:
        look = sensor(CleanRoomsPrivacyBudgetSensor, membership_id=lab.membership, **self.WAIT)
        trigger = deferred(look)
        lab.brand.clean_rooms.create_privacy_budget_template(
            membershipIdentifier=lab.membership,
            autoRefresh="CALENDAR_MONTH",
            privacyBudgetType="DIFFERENTIAL_PRIVACY",
            parameters={"differentialPrivacy": {"epsilon": 3, "usersNoisePerQuery": 30}},
        )
        await resumed(look, trigger)

    async def test_members_are_waited_for(self, lab: Lab) -> None:
        retailer = lab.retailer.clean_rooms
        room = retailer.create_collaboration(
            name="room",
            description="a test",
            creatorDisplayName="Retailer",
            creatorMemberAbilities=["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            members=[{"accountId": ACCOUNT, "displayName": "Brand", "memberAbilities": []}],
            queryLogStatus="DISABLED",
        )["collaboration"]["id"]
        retailer.create_membership(collaborationIdentifier=room, queryLogStatus="DISABLED")
        look = sensor(CleanRoomsMembersActiveSensor, collaboration_id=room, **self.WAIT)
        trigger = deferred(look)
        lab.brand.clean_rooms.create_membership(collaborationIdentifier=room, queryLogStatus="DISABLED")
        await resumed(look, trigger)

    def job(self, remote: Remote, *course: str) -> dict[str, Any]:
        remote.course = list(course)
        job = remote.start_protected_job(None, jobParameters={"analysisTemplateArn": TEMPLATE})  # type: ignore[arg-type]
        return {"membership_id": MEMBERSHIP, "job_id": job["protectedJob"]["id"]}

    async def test_a_job_is_waited_for_and_never_cancelled(self, remote: Remote) -> None:
        look = sensor(CleanRoomsProtectedJobSensor, **self.job(remote, "STARTED", "SUCCESS"), **self.WAIT)
        trigger = deferred(look)
        await trigger.on_kill()
        await resumed(look, trigger)
        assert remote.calls["UpdateProtectedJob"] == 0

    async def test_a_job_that_fails_meanwhile_is_told_as_what_it_is(self, remote: Remote) -> None:
        look = sensor(CleanRoomsProtectedJobSensor, **self.job(remote, "STARTED", "FAILED"), **self.WAIT)
        with pytest.raises(ProtectedQueryError, match="ended FAILED with EXECUTION"):
            await resumed(look, deferred(look))

    async def test_what_ends_the_wait_is_told_as_what_it_is(self, lab: Lab) -> None:
        tables = {"collaboration_id": lab.collaboration, "tables": ["segments"]}
        look = sensor(CleanRoomsTablesReadySensor, **tables, **self.WAIT)
        trigger = deferred(look)
        lab.retailer.clean_rooms.delete_collaboration(collaborationIdentifier=lab.collaboration)
        with pytest.raises(PermanentError, match=r"BatchGetSchema on collaboration .* was refused"):
            await resumed(look, trigger)

    @pytest.mark.parametrize(
        ("soft_fail", "end"), [(False, AirflowSensorTimeout), (True, AirflowSkipException)]
    )
    async def test_a_wait_in_vain_ends_as_a_sensors_does(
        self, remote: Remote, soft_fail: bool, end: type[Exception]
    ) -> None:
        wait = {**self.WAIT, "timeout": 1, "soft_fail": soft_fail}
        look = sensor(CleanRoomsPrivacyBudgetSensor, membership_id=MEMBERSHIP, **wait)
        with pytest.raises(end):
            await resumed(look, deferred(look))

    async def test_what_is_there_already_needs_no_deferral(self, remote: Remote) -> None:
        remote.budgets = [budget(COUNT=3)]
        look = sensor(CleanRoomsPrivacyBudgetSensor, membership_id=MEMBERSHIP, **self.WAIT)
        assert look.execute(context_of(Store())) is None

    async def test_throttling_slows_the_looks_down(self, remote: Remote, monkeypatch: Any) -> None:
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)

        look = sensor(CleanRoomsPrivacyBudgetSensor, membership_id=MEMBERSHIP, **self.WAIT)
        trigger = deferred(look)
        monkeypatch.setattr("cleanrooms.aws.triggers.polling.asyncio", SimpleNamespace(sleep=sleep))
        trouble = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "look")

        async def throttled(client: Any) -> Any:
            if len(pauses) < 4:
                raise trouble
            return Seen("ready", True)

        monkeypatch.setattr(trigger, "look", throttled)
        assert [event.payload["status"] async for event in trigger.run()] == ["done"]
        assert [math.floor(pause) for pause in pauses[1:]] == [2, 4, 8]
