"""A real Airflow on a local AWS that a folder of tests fills for itself, and runs of its DAGs to watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Self, TypeVar

from sandbox.testing import Sandbox
from tests.waiting import until
from tools.process import StackError
from tools.stack import Stack

# A dead worker is noticed within seconds instead of minutes; one on a busy machine is not taken for dead.
QUICK_HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


@dataclass
class OwnStack(Stack):
    """The usual services; what the local AWS holds is the tests' own."""

    @cached_property
    def aws(self) -> Sandbox:
        """The local AWS, as :func:`sandbox.testing.running` gives it; its process belongs to the stack."""
        return Sandbox(self.endpoint, process=None)  # type: ignore[arg-type]


AStack = TypeVar("AStack", bound=Stack)


@contextmanager
def serving(stack: AStack, day: date, dags: set[str]) -> Iterator[AStack]:
    """Starts a stack for one day, waits until it shows these DAGs, and stops it at the end."""
    try:
        stack.up((day, day))
        stack.api.wait_for_dags(dags)
        yield stack
    finally:
        stack.down()


class DagRun:
    """One run of a DAG, and what the local AWS saw since it was made; earlier faults are gone then.

    ``task_id`` is the task that is meant where none is named.
    """

    task_id = ""

    def __init__(self, stack: OwnStack, dag: str) -> None:
        self.stack, self.dag = stack, dag
        self.id = f"run-{time.time_ns()}"  # Airflow's own ids have signs that no key prefix may have
        stack.aws.faults()
        self.since = int(stack.aws.audit()[-1]["number"])

    def begin(self, **params: Any) -> Self:
        body = {"logical_date": None, "dag_run_id": self.id, "conf": params}
        self.stack.api.call("POST", f"/dags/{self.dag}/dagRuns", json=body)
        return self

    # ---- looks

    @property
    def state(self) -> str:
        return str(self.stack.api.call("GET", self._path)["state"])

    @property
    def states(self) -> dict[str, str]:
        """State of each task."""
        return {task["task_id"]: task["state"] for task in self.stack.api.tasks(self.dag, self.id)}

    def task(self, task_id: str = "") -> dict[str, Any]:
        tasks = self.stack.api.tasks(self.dag, self.id)
        return next(task for task in tasks if task["task_id"] == (task_id or self.task_id))

    def result(self, task: str) -> Any:
        """What a task handed on."""
        path = f"{self._path}/taskInstances/{task}/xcomEntries/return_value"
        return self.stack.api.call("GET", f"{path}?deserialize=true")["value"]

    def links(self, task: str) -> dict[str, str]:
        """The extra links of a task, as the UI shows them."""
        return dict(self.stack.api.call("GET", f"{self._path}/taskInstances/{task}/links")["extra_links"])

    def log(self, task: str = "*") -> str:
        """The DAG's logs of all tries, those of the triggerer included."""
        files = sorted(self.stack.home.glob(f"logs/dag_id={self.dag}/**/task_id={task}/**/*.log*"))
        return "\n".join(path.read_text() for path in files)

    def count(self, operation: str) -> int:
        """Calls of an operation, refused ones included."""
        return sum(call["operation"] == operation for call in self.stack.aws.audit(self.since))

    def accepted(self, operation: str) -> int:
        """Calls of an operation that the service carried out."""
        calls = self.stack.aws.audit(self.since)
        return sum(call["operation"] == operation and call["status"] == 200 for call in calls)

    # ---- what a person does

    def mark(self, state: str) -> None:
        path = f"{self._path}/taskInstances/{self.task_id}"
        self.stack.api.call("PATCH", path, json={"new_state": state})

    def clear(self, *tasks: str) -> None:
        which = list(tasks or (self.task_id,))
        body = {"dry_run": False, "dag_run_id": self.id, "task_ids": which, "only_failed": False}
        self.stack.api.call("POST", f"/dags/{self.dag}/clearTaskInstances", json=body)

    # ---- waits

    def until(self, *states: str) -> str:
        """Waits for the task to be in one of these states."""
        return str(self.wait_for(lambda: self.task()["state"], *states))

    def until_over(self, *states: str) -> str:
        """Waits for the whole run to end: Airflow forgets a task that is cleared in the moment before that."""
        return str(self.wait_for(lambda: self.state, *states))

    def until_logged(self, text: str) -> None:
        self.wait_for(lambda: text in self.log(), True)

    def wait_for(self, seen: Callable[[], Any], *wanted: Any) -> Any:
        """Waits until a look shows one of the wanted values, and returns it."""
        try:
            return until(lambda: _look(seen), lambda now: now in wanted, pause=0.3)
        except AssertionError as late:
            raise AssertionError(f"{self.dag}: {late} instead of {wanted}\n{self.log()[-6000:]}") from None

    @property
    def _path(self) -> str:
        return f"/dags/{self.dag}/dagRuns/{self.id}"


def _look(seen: Callable[[], Any]) -> Any:
    try:
        return seen()
    except StackError as refusal:
        return refusal  # an API server that is overloaded says so: the next look tells
