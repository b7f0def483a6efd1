"""Whatever happens to the task that runs a job, in a real scheduler: one run is paid for, and none left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.databrew.airflow.conftest import BrewStack, Run

pytestmark = pytest.mark.airflow

Runs = Callable[[str], Run]
ENDED = ("success", "failed")
MODES = ("", "_in_worker")


@pytest.fixture(params=MODES, ids=["deferred", "in_worker"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def waiting(mode: str) -> str:
    return "running" if mode else "deferred"


def test_a_kill_between_acceptance_and_record_starts_no_second_run(
    stack: BrewStack, run: Runs, mode: str
) -> None:
    killed = run(f"brew__killed{mode}").begin()
    assert killed.until(*ENDED) == "success", killed.log()
    assert killed.task()["try_number"] == 2
    assert killed.accepted("StartJobRun") == 1
    assert killed.job_states(stack.jobs[f"killed{mode}"]) == ["SUCCEEDED"]


def test_a_lost_answer_starts_no_second_run(stack: BrewStack, run: Runs, mode: str) -> None:
    lost = run(f"brew__lost{mode}")
    stack.house.aws.faults({"match": "StartJobRun$", "cut_after_response": True})
    lost.begin()
    assert lost.until(*ENDED) == "success", lost.log()
    assert lost.accepted("StartJobRun") == 1
    assert lost.job_states(stack.jobs[f"lost{mode}"]) == ["SUCCEEDED"]


def test_a_task_that_a_person_fails_stops_its_run(stack: BrewStack, run: Runs, mode: str) -> None:
    marked, job = run(f"brew__failed{mode}").begin(), stack.jobs[f"failed{mode}"]
    marked.until(waiting(mode))
    marked.until_watched()
    marked.mark("failed")
    marked.until_job_states(job, "STOPPED")
    assert (marked.task()["state"], marked.accepted("StartJobRun")) == ("failed", 1)


def test_a_task_that_is_cleared_while_it_waits_runs_the_job_anew(
    stack: BrewStack, run: Runs, mode: str
) -> None:
    cleared, job = run(f"brew__cleared{mode}").begin(), stack.jobs[f"cleared{mode}"]
    cleared.until(waiting(mode))
    cleared.until_watched()
    cleared.clear("run")
    cleared.until_job_states(job, "STOPPED", "SUCCEEDED")
    assert cleared.until(*ENDED) == "success", cleared.log()
    assert cleared.accepted("StartJobRun") == 2


def test_a_finished_task_that_is_cleared_runs_the_job_again(stack: BrewStack, run: Runs) -> None:
    again = run("brew__again").begin()
    again.until_over("success")
    again.clear("run")
    again.until_job_states(stack.jobs["again"], "SUCCEEDED", "SUCCEEDED")
    assert again.until(*ENDED) == "success", again.log()
    assert again.accepted("StartJobRun") == 2


def test_a_run_stopped_from_outside_fails_the_task_at_once(stack: BrewStack, run: Runs) -> None:
    stopped, job = run("brew__outside").begin(), stack.jobs["outside"]
    stopped.until("deferred")
    stopped.until_watched()
    (found,) = stack.house.client.list_job_runs(Name=job)["JobRuns"]
    stack.house.client.stop_job_run(Name=job, RunId=found["RunId"])
    assert stopped.until(*ENDED) == "failed", stopped.log()
    assert (stopped.task()["try_number"], stopped.accepted("StartJobRun")) == (1, 1)
    assert "Somebody stopped the run" in stopped.log()


def test_a_run_beyond_its_timeout_fails_the_task_at_once(stack: BrewStack, run: Runs) -> None:
    late = run("brew__timeout").begin()
    assert late.until(*ENDED) == "failed", late.log()
    assert (late.task()["try_number"], late.job_states(stack.jobs["timeout"])) == (1, ["TIMEOUT"])
    assert "Give the job a longer Timeout" in late.log()
