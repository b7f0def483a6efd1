"""Protected jobs, populations and DataBrew runs: each state of each means what it says, and none runs twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import botocore.session
import pytest
from airflow.sdk.exceptions import TaskDeferralTimeout, TaskDeferred
from airflow.sdk.module_loading import import_string
from botocore.exceptions import WaiterError

from cleanrooms.aws import hooks
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.hooks.databrew import CleanRoomsDataBrewHook
from cleanrooms.aws.hooks.entity_resolution import EntityResolutionHook
from cleanrooms.aws.operators.databrew import CleanRoomsDataBrewStartJobOperator
from cleanrooms.aws.operators.id_mapping_table import CleanRoomsPopulateIdMappingTableOperator
from cleanrooms.aws.operators.intermediate_table import CleanRoomsPopulateIntermediateTableOperator
from cleanrooms.aws.operators.protected_job import CleanRoomsStartProtectedJobOperator
from cleanrooms.errors import CleanRoomsError, PermanentError
from tests.aws.conftest import Store, context_of
from tests.aws.remote import TABLE, Remote
from tests.aws.service import MEMBERSHIP

WAITERS = Path(hooks.__file__).parents[1] / "waiters"
TEMPLATE = f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{MEMBERSHIP}/analysistemplate/{TABLE}"


CLEAN_ROOMS_WAITERS = (
    "protected_query_complete",
    "protected_job_complete",
    "intermediate_table_populated",
    "members_active",
)


@dataclass(frozen=True)
class Work:
    """One operator, its service's start call and states."""

    operator: Any
    arguments: dict[str, Any]
    start: str
    running: str
    success: str
    failures: tuple[str, ...]
    cancellable: bool = True


WORKS = {
    "protected job": Work(
        CleanRoomsStartProtectedJobOperator,
        {
            "membership_id": MEMBERSHIP,
            "analysis_template_arn": TEMPLATE,
            "worker_type": "CR.1X",
            "worker_number": 4,
        },
        "StartProtectedJob",
        "STARTED",
        "SUCCESS",
        ("FAILED", "CANCELLED"),
    ),
    "intermediate table": Work(
        CleanRoomsPopulateIntermediateTableOperator,
        {"membership_id": MEMBERSHIP, "table_id": TABLE},
        "PopulateIntermediateTable",
        "STARTED",
        "SUCCESS",
        ("FAILED", "CANCELLED", "TIMED_OUT"),
    ),
    "ID mapping table": Work(
        CleanRoomsPopulateIdMappingTableOperator,
        {"membership_id": MEMBERSHIP, "table_id": TABLE, "job_type": "INCREMENTAL"},
        "PopulateIdMappingTable",
        "RUNNING",
        "SUCCEEDED",
        ("FAILED",),
        cancellable=False,
    ),
    "DataBrew": Work(
        CleanRoomsDataBrewStartJobOperator,
        {"job_name": "clean"},
        "StartJobRun",
        "RUNNING",
        "SUCCEEDED",
        ("FAILED", "STOPPED", "TIMEOUT"),
    ),
}


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    with Remote() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield service


@pytest.fixture(params=WORKS)
def work(request: pytest.FixtureRequest) -> Work:
    return WORKS[request.param]


@pytest.fixture(params=[False, True], ids=["worker", "triggerer"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def make(work: Work, **changes: Any) -> Any:
    fixed = {"task_id": "work", "aws_conn_id": None, "region_name": "us-east-1", "waiter_delay": 0}
    return work.operator(**{**fixed, "waiter_max_attempts": 5, **work.arguments, **changes})


async def finish(task: Any, store: Store) -> dict[str, Any]:
    """Run a task to its end as scheduler, worker and triggerer would."""
    try:
        return task.execute(context_of(store))
    except TaskDeferred as deferral:
        deferred = deferral
    path, kwargs = deferred.trigger.serialize()
    event = await anext(import_string(path)(**kwargs).run())
    result: dict[str, Any] = task.resume_execution(
        deferred.method_name, {"event": event.payload}, context_of(store)
    )
    return result


async def test_a_success_is_a_green_task_that_hands_on_its_ids(
    remote: Remote, store: Store, work: Work, deferrable: bool
) -> None:
    remote.course = [work.running, work.running, work.success]
    result = await finish(make(work, deferrable=deferrable), store)
    assert result["status"] == work.success
    assert remote.calls[work.start] == 1
    assert store == {}, "clearing the finished task starts anew"


@pytest.mark.parametrize(
    ("work", "end"), [(work, end) for work in WORKS.values() for end in work.failures], indirect=False
)
async def test_every_end_without_success_fails_the_task(
    remote: Remote, store: Store, work: Work, end: str, deferrable: bool
) -> None:
    remote.course = [work.running, work.running, end]
    with pytest.raises(CleanRoomsError, match=r"What to do: ") as info:
        await finish(make(work, deferrable=deferrable), store)
    assert "anna" not in str(info.value)
    assert store == {}


def test_a_retry_goes_on_with_what_runs(remote: Remote, store: Store, work: Work) -> None:
    remote.course = [work.running, work.running, work.running, work.success]
    with pytest.raises(TaskDeferred):
        make(work, deferrable=True).execute(context_of(store))
    make(work, deferrable=False).execute(context_of(store, try_number=2))
    assert remote.calls[work.start] == 1


def test_a_start_whose_answer_was_lost_is_found_by_the_retry(
    remote: Remote, store: Store, work: Work
) -> None:
    remote.course, remote.cut = [work.running, work.success], work.start
    with pytest.raises(CleanRoomsError) as info:
        make(work, deferrable=False).execute(context_of(store))
    assert not info.value.permanent
    assert make(work, deferrable=False).execute(context_of(store, try_number=2))["status"] == work.success
    assert remote.calls[work.start] == 1


async def test_used_up_attempts_end_the_remote_work(
    remote: Remote, store: Store, work: Work, deferrable: bool
) -> None:
    remote.course = [work.running]
    with pytest.raises(PermanentError, match="had not ended when its waiting attempts were used up"):
        await finish(make(work, deferrable=deferrable, waiter_max_attempts=2), store)
    assert_ended(remote, work)


def test_a_deferral_that_times_out_ends_the_remote_work(
    remote: Remote, store: Store, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.course = [work.running]
    task = make(work, deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context_of(store))

    def time_out(*_: Any) -> None:
        raise TaskDeferralTimeout

    monkeypatch.setattr("airflow.sdk.bases.operator.BaseOperator.resume_execution", time_out)
    with pytest.raises(PermanentError, match="execution_timeout passed while it was deferred"):
        make(work).resume_execution("__fail__", {}, context_of(store))
    assert_ended(remote, work)


async def test_a_person_who_ends_the_deferred_task_ends_the_remote_work(
    remote: Remote, store: Store, work: Work
) -> None:
    remote.course = [work.running]
    with pytest.raises(TaskDeferred) as info:
        make(work, deferrable=True).execute(context_of(store))
    path, kwargs = info.value.trigger.serialize()
    await import_string(path)(**kwargs).on_kill()
    assert_ended(remote, work)


def test_a_killed_worker_ends_the_remote_work(remote: Remote, store: Store, work: Work) -> None:
    remote.course = [work.running]
    task = make(work, deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context_of(store))
    task.on_kill()
    assert_ended(remote, work)


def test_triggers_keep_connection_region_verify_and_client_settings(
    remote: Remote, store: Store, work: Work
) -> None:
    remote.course = [work.running]
    settings = {"verify": False, "botocore_config": {"read_timeout": 7}, "region_name": "eu-west-1"}
    with pytest.raises(TaskDeferred) as info:
        make(work, deferrable=True, **settings).execute(context_of(store))
    path, kwargs = info.value.trigger.serialize()
    again = import_string(path)(**kwargs)
    assert again.serialize() == (path, kwargs)
    assert {name: kwargs[name] for name in settings} == settings
    assert again.hook().region_name == "eu-west-1"


def assert_ended(remote: Remote, work: Work) -> None:
    ((state, *_),) = remote.courses.values()
    assert state in (("CANCELLED", "STOPPED") if work.cancellable else (work.running,))


def test_half_a_worker_is_refused_with_what_lacks(remote: Remote, store: Store) -> None:
    task = make(WORKS["protected job"], worker_type=None)
    with pytest.raises(PermanentError, match=r"botocore refuses computeConfiguration\.worker without type"):
        task.execute(context_of(store))


class TestWaiters:
    """The waiters of databrew.json and entityresolution.json, and protected_job_complete."""

    HOOKS: ClassVar[dict[str, tuple[Any, str, set[str]]]] = {
        "DataBrew": (CleanRoomsDataBrewHook, "job_run_succeeded", {"job_run_succeeded"}),
        "ID mapping table": (EntityResolutionHook, "id_mapping_job_complete", {"id_mapping_job_complete"}),
        "protected job": (
            CleanRoomsHook,
            "protected_job_complete",
            {*CLEAN_ROOMS_WAITERS},
        ),
    }

    @pytest.mark.parametrize("name", HOOKS)
    def test_all_of_a_hook_are_tested(self, name: str) -> None:
        kind, _, known = self.HOOKS[name]
        assert known == set(kind(aws_conn_id=None, region_name="us-east-1").list_waiters())

    @pytest.mark.parametrize("name", HOOKS)
    def test_success_and_every_failure_end_the_wait(self, remote: Remote, name: str) -> None:
        work = WORKS[name]
        for end in (work.success, *work.failures):
            remote.course = [work.running, work.running, end]
            task = make(work, deferrable=True)
            with pytest.raises(TaskDeferred) as info:
                task.execute(context_of(Store()))
            kind, waiter, _ = self.HOOKS[name]
            hook = kind(aws_conn_id=None, region_name="us-east-1")
            wait = hook.get_waiter(waiter).wait
            arguments = {**info.value.trigger.arguments, "WaiterConfig": {"Delay": 0, "MaxAttempts": 5}}
            if end == work.success:
                wait(**arguments)
            else:
                with pytest.raises(WaiterError, match="terminal failure"):
                    wait(**arguments)

    @pytest.mark.parametrize(
        ("service", "waiter", "statuses"),
        [
            ("cleanrooms", "protected_query_complete", "ProtectedQueryStatus"),
            ("cleanrooms", "protected_job_complete", "ProtectedJobStatus"),
            ("cleanrooms", "intermediate_table_populated", "IntermediateTableStatus"),
            ("databrew", "job_run_succeeded", "JobRunState"),
            ("entityresolution", "id_mapping_job_complete", "JobStatus"),
        ],
    )
    def test_every_status_of_the_services_model_has_its_meaning(
        self, service: str, waiter: str, statuses: str
    ) -> None:
        found = json.loads((WAITERS / f"{service}.json").read_text())["waiters"][waiter]
        meant = {one["expected"] for one in found["acceptors"] if one["matcher"] == "path"}
        model = botocore.session.get_session().get_service_model(service)
        assert meant == set(model.shape_for(statuses).enum)
        states = {one["state"] for one in found["acceptors"] if one["matcher"] == "path"}
        assert states == {"success", "failure", "retry"}
