"""The task that runs a source's recipe: one run on the day's staged rows, never on older ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cleanrooms.databrew import names
from cleanrooms.errors import PermanentError, TransientError
from sandbox.testing import ACCOUNT, REGION, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.databrew.kit import DAY, House
from tests.waiting import until


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    slow = {"SANDBOX_DATABREW_RUNNING_SECONDS": "8", "SANDBOX_DATABREW_STOPPING_SECONDS": "0.5"}
    with running(environment=slow) as sandbox:
        yield sandbox


@pytest.fixture
def brew(house: House, monkeypatch: pytest.MonkeyPatch) -> Brew:
    monkeypatch.setenv("CLEANROOMS_INCLUDE_DIR", str(house.include))
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.aws.endpoint)
    connection = {
        "conn_type": "aws",
        "login": ACCOUNT,
        "password": "test",
        "extra": {"region_name": REGION},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    return Brew(house)


class Brew:
    """A staged day and its operator, outside of a scheduler."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.source = house.source()
        self.name = names.run_name(self.source, DAY)

    def task(self, staged: Any, **changes: Any) -> Any:
        from cleanrooms.tasks.databrew import SourceDataBrewOperator

        given = {"waiter_delay": 0, "waiter_max_attempts": 10_000, "deferrable": False, **changes}
        operator = SourceDataBrewOperator(
            task_id="run_recipe", source="big_crm", staged=staged.to_dict(), region_name=REGION, **given
        )
        operator.waiter_delay = changes.get("waiter_delay", 0.05)
        return operator

    def context(self, store: Store | None) -> Any:
        run = SimpleNamespace(partition_key=str(DAY), run_id="r")
        return {**context_of(store), "dag_run": run, "params": {}}

    def states(self) -> list[str]:
        return [run["State"] for run in self.house.client.list_job_runs(Name=self.name)["JobRuns"]][::-1]

    def start(self) -> str:
        """Start a run by hand and wait until it has read its rows."""
        since = int(self.house.aws.audit()[-1]["number"])
        run_id: str = self.house.client.start_job_run(Name=self.name)["RunId"]
        until(
            lambda: self.house.aws.audit(since),
            lambda calls: any(c["operation"] == "GetObject" and c["internal"] for c in calls),
        )
        return run_id

    def started(self, since: int = 0) -> int:
        return sum(
            c["operation"] == "StartJobRun" and c["status"] == 200 for c in self.house.aws.audit(since)
        )


def test_a_day_is_run_once_and_says_which_run_it_was(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    result = brew.task(staged).execute(brew.context(Store()))
    assert (result["status"], result["job_name"]) == ("SUCCEEDED", brew.name)
    assert brew.states() == ["SUCCEEDED"]
    assert brew.house.publish(brew.source, staged).rows_out == 4


def test_nothing_is_run_for_a_day_without_rows(brew: Brew) -> None:
    brew.house.send(["id,email,phone,amount,seen_at,note"])
    staged = brew.house.stage(brew.house.source(allow_empty=True))
    since = int(brew.house.aws.audit()[-1]["number"])
    assert brew.task(staged).execute(brew.context(Store()))["status"] == "NOT_RUN"
    assert brew.started(since) == 0


def test_a_run_in_progress_on_the_same_rows_is_taken_over_without_any_memory(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    brew.house.define(brew.source, DAY, staged.token)
    run_id = brew.house.client.start_job_run(Name=brew.name)["RunId"]
    since = int(brew.house.aws.audit()[-1]["number"])
    assert brew.task(staged).execute(brew.context(Store()))["run_id"] == run_id
    assert brew.started(since) == 0


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "forgotten"])
def test_a_run_on_rows_that_were_staged_before_is_stopped_and_another_started(
    brew: Brew, remembered: bool
) -> None:
    old = brew.house.stage(brew.source)
    brew.house.define(brew.source, DAY, old.token)
    run_id = brew.start()
    store = Store()
    if remembered:
        store["databrew_run_id"] = run_id
    brew.house.send(["id,email,phone,amount,seen_at,note", "9,eve@example.com,0555,,,"])
    staged = brew.house.stage(brew.source)
    result = brew.task(staged).execute(brew.context(store))
    assert result["run_id"] != run_id
    assert brew.states() == ["STOPPED", "SUCCEEDED"]
    brew.house.publish(brew.source, staged)
    assert brew.house.published()["id"].to_pylist() == [9]


def test_a_finished_run_on_older_rows_is_not_taken_for_todays(brew: Brew) -> None:
    old = brew.house.stage(brew.source)
    store = Store()
    first = brew.task(old).execute(brew.context(store))["run_id"]
    store["databrew_run_id"] = first  # the worker died before it could forget
    staged = brew.house.stage(brew.source)
    assert brew.task(staged).execute(brew.context(store))["run_id"] != first
    assert brew.states() == ["SUCCEEDED", "SUCCEEDED"]


def test_a_failed_run_names_state_job_and_what_to_do(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    iam = brew.house.aws.client("iam")
    iam.delete_role_policy(RoleName=f"job-{brew.house.number}", PolicyName="test")
    with pytest.raises(PermanentError, match=rf"{brew.name} ended FAILED: AccessDeniedException") as caught:
        brew.task(staged).execute(brew.context(Store()))
    assert "DataBrew console" in caught.value.todo


def test_a_run_that_an_earlier_try_had_started_and_somebody_stopped_is_tried_again(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    brew.house.define(brew.source, DAY, staged.token)
    store = Store()
    store["databrew_run_id"] = run_id = brew.house.client.start_job_run(Name=brew.name)["RunId"]
    task = brew.task(staged)
    look = task._describe

    def stopped_meanwhile(found: str) -> Any:
        answer = look(found)
        if answer["State"] == "RUNNING":
            brew.house.client.stop_job_run(Name=brew.name, RunId=run_id)
        return answer

    until(brew.states, lambda states: states == ["RUNNING"])
    task._describe = stopped_meanwhile
    with pytest.raises(TransientError, match="taken over from an earlier try, was stopped"):
        task.execute(brew.context(store))
    assert brew.task(staged).execute(brew.context(store))["status"] == "SUCCEEDED"
    assert brew.states() == ["STOPPED", "SUCCEEDED"]


def test_what_the_service_refuses_before_the_start_names_the_call(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    brew.house.aws.faults({"match": "CreateRecipeJob$", "code": "AccessDeniedException", "status": 403})
    with pytest.raises(PermanentError, match=r"CreateRecipeJob on DataBrew job .* was refused"):
        brew.task(staged).execute(brew.context(Store()))
    brew.house.aws.faults()


def test_a_killed_task_stops_its_run(brew: Brew) -> None:
    staged = brew.house.stage(brew.source)
    task = brew.task(staged)
    task.wait_for_completion = False
    task.execute(brew.context(Store()))
    task.on_kill()
    until(brew.states, lambda states: states == ["STOPPED"])
