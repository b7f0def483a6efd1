"""Running the example's DAGs by Airflow's own backfill, and comparing what they land with the truth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools import process
from tools.stack import Stack

ENDED = {"success", "failed"}


def backfill(
    stack: Stack, dag_ids: Iterable[str], first: str, last: str, *, seconds: float = 3600, again: bool = False
) -> None:
    """Backfill DAGs over a range of run dates and wait, saying how far they are.

    :raises StackError: a run failed (names the tasks) or time is up
    """
    dag_ids = list(dag_ids)
    before = {dag: {run["dag_run_id"]: run["end_date"] for run in stack.api.runs(dag)} for dag in dag_ids}
    for dag in dag_ids:
        # Airflow closes a backfill some seconds after its last run, and allows one at a time.
        process.wait_until(
            f"{dag}: the end of the backfill before", lambda d=dag: not stack.api.backfilling(d), 600
        )
        stack.api.backfill(dag, first, last, again=again)
    began, said = time.monotonic(), ""
    while True:
        runs = [
            {**run, "dag_id": dag}
            for dag in dag_ids
            for run in stack.api.runs(dag)
            if run["run_type"] == "backfill" and before[dag].get(run["dag_run_id"], "new") != run["end_date"]
        ]
        states = Counter(run["state"] for run in runs)
        text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no runs yet"
        if text != said:
            stack.say(f"  {time.monotonic() - began:5.0f} s  {' + '.join(dag_ids)}: {text}")
            said = text
        if runs and not set(states) - ENDED:
            break
        if time.monotonic() - began > seconds:
            raise process.StackError(f"{', '.join(dag_ids)}: not done after {seconds:.0f} s ({text}).")
        time.sleep(1)
    if states["failed"]:
        raise process.StackError(
            "\n".join(_failures(stack, [run for run in runs if run["state"] == "failed"]))
        )


def _failures(stack: Stack, runs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for run in runs:
        for task in stack.api.tasks(run["dag_id"], run["dag_run_id"]):
            if task["state"] == "failed":
                log = stack.home / "logs" / f"dag_id={run['dag_id']}" / f"run_id={run['dag_run_id']}"
                lines.append(
                    f"{run['dag_id']} {run['dag_run_id']}: task {task['task_id']} failed; its log is in {log}"
                )
    return lines


@dataclass(frozen=True)
class Comparison:
    """A query's published result beside the truth."""

    query: str
    columns: tuple[str, ...]
    published: list[tuple[Any, ...]]
    expected: list[tuple[Any, ...]]

    @property
    def equal(self) -> bool:
        return [_rounded(row) for row in self.published] == [_rounded(row) for row in self.expected]


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sums of money are compared to the cent: engines may add floating-point numbers in another order."""
    return tuple(round(value, 2) if isinstance(value, float) else value for value in row)
