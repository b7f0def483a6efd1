"""What waiting costs: ``python -m bench.waiting --tasks 100 --seconds 300``.

Starts a real Airflow on the local AWS, lets that many protected queries run (they do not end by themselves),
and reports, once all tasks are deferred: worker slots in use, the triggerer's memory against its memory when it
had nothing to do, and calls of GetProtectedQuery per query and hour at the default pace. Exit status 1 when a
figure misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from tests.faults.conftest import QUICK, FaultyStack

DAG = "waiting"
CALLS_PER_HOUR, MEGABYTES = 130, 150


def main(arguments: list[str] | None = None) -> int:
    """Run the bench and return the exit status."""
    options = _options().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the database's own user passes through
        stack = FaultyStack(Path(folder) / "stack", extra_env=_environment(options.tasks))
        try:
            stack.up((date(2017, 3, 6), date(2017, 3, 6)))
            stack.api.wait_for_dags({DAG})
            figures = _measure(stack, options.tasks, options.seconds)
        finally:
            stack.down()
    print(json.dumps(figures, indent=2))
    good = (
        figures["slots"] == 0
        and figures["more_megabytes"] < MEGABYTES
        and figures["calls_per_query_and_hour"] <= CALLS_PER_HOUR
    )
    return 0 if good else 1


def _environment(tasks: int) -> dict[str, str]:
    return {
        **QUICK,
        "SANDBOX_CLEANROOMS_STARTED_SECONDS": "7200",
        "SANDBOX_CLEANROOMS_TIME_LIMIT_SECONDS": "7200",
        "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": str(2 * tasks),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
        "BENCH_TASKS": str(tasks),
    }


def _measure(stack: FaultyStack, tasks: int, seconds: float) -> dict[str, Any]:
    time.sleep(20)  # a triggerer that has just begun is smaller than one that idles
    idle = _megabytes(stack)
    body = {"logical_date": None, "dag_run_id": "bench"}
    stack.api.call("POST", f"/dags/{DAG}/dagRuns", json=body)
    while (states := _states(stack)).count("deferred") < tasks:
        if "failed" in states:
            sys.exit(f"A task failed; see the logs in {stack.home}.")
        time.sleep(2)
    since, began = int(stack.lab.aws.audit()[-1]["number"]), time.monotonic()
    time.sleep(seconds)
    looks = sum(call["operation"] == "GetProtectedQuery" for call in stack.lab.aws.audit(since))
    return {
        "tasks": tasks,
        "slots": sum(state in ("running", "queued") for state in _states(stack)),
        "triggerer_idle_megabytes": idle,
        "more_megabytes": _megabytes(stack) - idle,
        "calls_per_query_and_hour": round(looks / tasks * 3600 / (time.monotonic() - began), 1),
        "over_seconds": round(time.monotonic() - began),
    }


def _states(stack: FaultyStack) -> list[str]:
    return [str(task["state"]) for task in stack.api.tasks(DAG, "bench")]


def _megabytes(stack: FaultyStack) -> int:
    """PSS of the triggerer and its children."""
    parent = psutil.Process(int((stack.logs / "triggerer.pid").read_text()))
    family = [parent, *parent.children(recursive=True)]
    return round(sum(process.memory_full_info().pss for process in family) / 1e6)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.waiting", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=300, help="how long to count calls")
    return parser


if __name__ == "__main__":
    sys.exit(main())
