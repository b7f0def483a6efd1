"""Whatever breaks, in a real scheduler: one query is paid for, and none is left running unwatched."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.faults.conftest import FaultyStack, Run
from tests.waiting import until

pytestmark = pytest.mark.airflow

Runs = Callable[[str], Run]
ENDED = ("success", "failed")
MODES = ("deferred", "running")  # the task's state while it waits


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("victim", ["task", "worker"])
def test_a_kill_between_acceptance_and_record_costs_no_second_query(
    run: Runs, victim: str, mode: str
) -> None:
    killed = run(f"killed_{victim}_{mode}").begin()
    assert killed.until(*ENDED) == "success", killed.log()
    assert killed.task()["try_number"] == 2
    assert (killed.started, killed.queries) == (1, ["SUCCESS"])


@pytest.mark.parametrize("fault", ["lost", "lost_in_worker"])
def test_a_lost_response_costs_no_second_query(stack: FaultyStack, run: Runs, fault: str) -> None:
    lost = run(fault)
    stack.lab.aws.faults({"match": "StartProtectedQuery$", "cut_after_response": True})
    lost.begin()
    assert lost.until(*ENDED) == "success", lost.log()
    assert (lost.started, lost.queries) == (1, ["SUCCESS"])


def test_a_killed_triggerer_takes_the_wait_up_again(stack: FaultyStack, run: Runs) -> None:
    waiting = run("triggerer").begin()
    waiting.until("deferred")
    waiting.until_watched()
    stack.kill("triggerer")
    assert waiting.queries == ["STARTED"]
    stack.start("triggerer")
    assert waiting.until(*ENDED) == "success", waiting.log()
    assert (waiting.started, waiting.queries) == (1, ["SUCCESS"])


def test_a_restarted_scheduler_goes_on_with_the_same_query(stack: FaultyStack, run: Runs) -> None:
    waiting = run("scheduler").begin()
    waiting.until("deferred")
    stack.kill("scheduler")
    stack.start("scheduler")
    assert waiting.until(*ENDED) == "success", waiting.log()
    assert (waiting.started, waiting.queries) == (1, ["SUCCESS"])


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_mark_by_a_person_cancels_the_query(run: Runs, state: str, mode: str) -> None:
    waiting = run(f"{state}_{mode}").begin()
    waiting.until(mode)
    waiting.until_watched()
    waiting.mark(state)
    waiting.until_queries("CANCELLED")
    assert (waiting.task()["state"], waiting.started) == (state, 1)


def test_a_clear_of_a_waiting_task_runs_one_query_to_its_end(run: Runs, mode: str) -> None:
    waiting = run(f"cleared_{mode}").begin()
    waiting.until(mode)
    waiting.until_watched()
    waiting.clear()
    waiting.until("success")
    assert (waiting.started, waiting.queries) == (2, ["CANCELLED", "SUCCESS"]), waiting.log()


def test_a_clear_of_a_finished_task_pays_for_another(run: Runs) -> None:
    finished = run("again").begin()
    finished.until_over("success")
    finished.clear()
    finished.until_queries("SUCCESS", "SUCCESS")
    assert finished.until(*ENDED) == "success", finished.log()
    assert finished.started == 2


def test_a_query_cancelled_from_outside_fails_the_task_at_once(stack: FaultyStack, run: Runs) -> None:
    waiting = run("outside").begin()
    waiting.until("deferred")
    waiting.until_watched()
    lab = stack.lab
    (query,) = stack.started_queries()
    lab.brand.clean_rooms.update_protected_query(
        membershipIdentifier=lab.membership, protectedQueryIdentifier=query, targetStatus="CANCELLED"
    )
    assert waiting.until(*ENDED) == "failed", waiting.log()
    assert (waiting.task()["try_number"], waiting.started, waiting.queries) == (1, 1, ["CANCELLED"])


def test_a_query_that_times_out_fails_the_task_at_once(stack: FaultyStack, run: Runs) -> None:
    slow = run("timed_out")
    data = f"^s3 GET /{stack.lab.retailer.data}/"
    stack.lab.aws.faults({"match": data, "delay": 40, "internal": True})
    slow.begin()
    assert slow.until(*ENDED) == "failed", slow.log()
    assert (slow.task()["try_number"], slow.started, slow.queries) == (1, 1, ["TIMED_OUT"])


def test_credentials_that_expire_while_waiting_are_replaced(stack: FaultyStack, run: Runs, mode: str) -> None:
    waiting = run(f"expired_{mode}").begin()
    waiting.until(mode)
    waiting.until_watched()
    assert stack.lab.aws.end_sessions() >= 1
    assert waiting.until(*ENDED) == "success", waiting.log()
    assert "ExpiredToken" in waiting.log()
    assert (waiting.task()["try_number"], waiting.started, waiting.queries) == (1, 1, ["SUCCESS"])


def test_two_minutes_of_throttling_cost_time_only(stack: FaultyStack, run: Runs) -> None:
    waiting = [run("throttled_deferred").begin(), run("throttled_running").begin()]
    for one in waiting:
        one.until_watched()
    throttling = {"match": "cleanrooms .*ProtectedQuery$", "times": 10_000, "status": 429}
    late = run("throttled_start")
    stack.lab.aws.faults({**throttling, "code": "ThrottlingException"})
    # A task that starts looks at queries that run, and would use its tries up on looks that are refused.
    until(lambda: stack.started_queries() == [])
    late.begin()
    time.sleep(120)
    # Two that wait look after 1, 2, 4 … s, and botocore repeats each look up to five times; one that starts
    # tries six times and, as a new try, again.
    assert late.count("GetProtectedQuery") <= 2 * 8 * 5
    assert late.count("StartProtectedQuery") <= 2 * 6
    stack.lab.aws.faults()
    for one in (*waiting, late):
        assert one.until(*ENDED) == "success", one.log()
        assert one.queries == ["SUCCESS"]
    assert [one.task()["try_number"] for one in waiting] == [1, 1]
    assert late.started == 1
