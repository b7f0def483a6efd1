"""Operators, triggers and sensors against a small service on real wire, without Airflow's database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

# Airflow reads its home when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

import pytest

from cleanrooms.aws import protected_query
from tests.aws.service import MEMBERSHIP, Service

ARGUMENTS: dict[str, Any] = {
    "task_id": "overlap",
    "membership_id": MEMBERSHIP,
    "sql": "SELECT segment, COUNT(DISTINCT household) AS people FROM segments GROUP BY segment",
    "result_bucket": "results",
    "result_prefix": "weekly/overlap/2017-W10",
    "waiter_delay": 0,
    "waiter_max_attempts": 50,
    "aws_conn_id": None,
    "region_name": "us-east-1",
    "deferrable": False,
}


class Store(dict[str, Any]):
    """A task state store that survives tries; ``broken`` holds keys that cannot be written."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    def set(self, key: str, value: Any) -> None:
        if key in self.broken:
            raise RuntimeError("the API server is away")
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


class TaskInstance(SimpleNamespace):
    """What is used of Airflow's task instance."""

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def context_of(store: Store | None, try_number: int = 1, max_tries: int = 3) -> Any:
    """A context as a worker has it; ``max_tries`` grows when a task is cleared, not when it is retried."""
    context: dict[str, Any] = {"ti": TaskInstance(try_number=try_number, max_tries=max_tries, pushed={})}
    if store is not None:
        context["task_state_store"] = store
    return context


class WorkerLostError(BaseException):
    """The worker dies; nothing after it runs."""


def crash(
    monkeypatch: pytest.MonkeyPatch, where: str, operator: Any, context: Any, after: bool = False
) -> None:
    """Run the task in a worker that dies when it comes to ``where``, or just after it."""
    real: Callable[..., Any] = resolve_name(where)

    def die(*args: Any, **kwargs: Any) -> None:
        if after:
            real(*args, **kwargs)
        raise WorkerLostError

    with monkeypatch.context() as patch, pytest.raises(WorkerLostError):  # noqa: PT012
        patch.setattr(where, die)
        operator.execute(context)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
        monkeypatch.setattr(protected_query, "REPEAT_AFTER", (0.0, 0.0))
        monkeypatch.setattr(protected_query, "LOOK_AFTER", (0.0, 0.0))
        yield running


@pytest.fixture
def make() -> Callable[..., Any]:
    """Makes the operator with the arguments of a weekly query, changed as asked."""
    from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator

    def build(**changes: Any) -> Any:
        return CleanRoomsStartProtectedQueryOperator(**{**ARGUMENTS, **changes})

    return build
