"""Every operator and sensor, in both modes, in a real scheduler and triggerer, with exactly the documented rights."""

from __future__ import annotations

import pytest

from tests.operators_live.conftest import MODES, LiveStack
from tests.real_airflow import DagRun

pytestmark = pytest.mark.airflow

Runs = dict[tuple[str, str], DagRun]
PAUSES = {"triggerer": "Pausing task as DEFERRED", "worker": "marking task as UP_FOR_RESCHEDULE"}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("who", ["exact", "other"])
def test_every_task_succeeds_with_the_documented_permissions(runs: Runs, who: str, mode: str) -> None:
    run = runs[who, mode]
    wrong = {task: state for task, state in run.states.items() if state != "success"}
    assert not wrong, f"{wrong}\n" + "\n".join(run.log(task)[-3000:] for task in wrong)


def test_no_call_was_refused_for_want_of_a_permission(stack: LiveStack, runs: Runs) -> None:
    aws = stack.rooms["worker"].lab.aws
    calls = [call for call in aws.audit() if ":role/airflow-" in call["principal"]]
    assert {call["operation"] for call in calls} >= {
        "StartProtectedQuery",
        "CreateMembership",
        "BatchGetSchema",
    }
    assert not {(call["operation"], call["principal"]) for call in calls if "AccessDenied" in call["error"]}


def test_what_waits_in_the_triggerer_holds_no_worker_slot(runs: Runs) -> None:
    run = runs["exact", "triggerer"]
    for task in ("query", "by_template", "intermediate", "ready", "enough"):
        assert PAUSES["triggerer"] in run.log(task), task


def test_a_sensor_of_a_worker_gives_its_slot_back_between_looks(runs: Runs) -> None:
    run = runs["exact", "worker"]
    for task in ("ready", "enough"):
        assert PAUSES["worker"] in run.log(task), task
    assert "DEFERRED" not in run.log()


def test_an_assumed_role_of_another_account_serves_worker_and_triggerer(runs: Runs) -> None:
    for mode in MODES:
        run = runs["other", mode]
        assert run.result("query")["status"] == "SUCCESS"
        assert (PAUSES["triggerer"] in run.log("query")) == (mode == "triggerer")


def test_results_are_ids_places_and_counts(stack: LiveStack, runs: Runs, mode: str) -> None:
    run = runs["exact", mode]
    assert set(run.result("query")) == {
        "query_id",
        "status",
        "membership_id",
        "output_location",
        "receivers",
        "duration_ms",
        "billed_units",
    }
    (found,) = run.result("collect")["objects"]
    assert run.result("collect")["bytes"] == found["size"] > 0
    ended = stack.rooms[mode].lab.query(run.result("doomed")["query_id"])["status"]
    assert run.result("cancel")["status"] == ended  # CANCELLED, unless a slow machine came too late
    assert run.result("done")["query_id"] == run.result("left")["query_id"]


def test_links_lead_to_the_query_and_its_collaboration(stack: LiveStack, runs: Runs, mode: str) -> None:
    run, lab = runs["exact", mode], stack.rooms[mode].lab
    room = (
        f"https://console.aws.amazon.com/cleanrooms/home?region=us-east-1#/collaborations/{lab.collaboration}"
    )
    query = run.result("query")["query_id"]
    assert run.links("query") == {"Collaboration": room, "Protected query": f"{room}/queries/{query}"}
    assert run.links("mapping") == {"Collaboration": room}
    assert run.links("template") == {"Collaboration": room}


def test_the_log_of_a_query_tells_its_story_without_its_text(runs: Runs, mode: str) -> None:
    told = runs["exact", mode].log("query")
    parts = ["Submitted protected query", "is SUCCESS", "CRPU-hours billed"]
    for part in parts:
        assert part in told, part
    assert "COUNT(DISTINCT" not in told


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("job", "Start of the protected job on membership"),
        ("job_done", "GetProtectedJob on protected job"),
        ("clean", "Start of the DataBrew job run on DataBrew job clean"),
    ],
)
def test_what_is_refused_fails_at_its_start_and_says_so(runs: Runs, task: str, said: str) -> None:
    run = runs["refused", "triggerer"]
    assert run.states[task] == "failed", run.log(task)
    assert said in run.log(task)
    assert "What to do:" in run.log(task)
