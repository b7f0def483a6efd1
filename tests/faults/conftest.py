"""A real Airflow of these tests' own, with one small collaboration whose queries take a few seconds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.testing import ACCOUNT, PARTNER, REGION, Sandbox
from tests.sandbox.cleanrooms.lab import Lab, any_query
from tools import airflow, process
from tools.stack import Stack

DAGS = Path(__file__).parent / "dags"
EXTERNAL_ID = "faults-1f9c"
QUICK = {
    "SANDBOX_CLEANROOMS_STARTED_SECONDS": "8",
    "SANDBOX_CLEANROOMS_TIME_LIMIT_SECONDS": "11",
    "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": "50",
    "CLEANROOMS_RETRY_SECONDS": "1",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    # A dead worker or triggerer is noticed within seconds instead of minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "6",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "4",
}


@dataclass
class FaultyStack(Stack):
    """The usual services, on a collaboration that two API users set up."""

    lab: Lab = field(init=False)
    services: dict[str, str] = field(init=False)

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        lab = self.lab = Lab(Sandbox(self.endpoint, process=None))  # type: ignore[arg-type]
        columns = ["email_key", "segment"]
        lab.retailer.csv_table("segments", columns, [("a", "news"), ("b", "sports"), ("c", "news")])
        lab.retailer.share(lab.retailer_membership, "segments", columns, "CUSTOM", any_query())
        return {"access_key_id": ACCOUNT, "secret_access_key": "test"}

    def _connections(self, account: dict[str, str]) -> dict[str, str]:
        # The brand's role, assumed by a key of another account that knows the external id.
        role = self.lab.aws.role(
            "assumed",
            {"Effect": "Allow", "Action": ["cleanrooms:*", "s3:*"], "Resource": "*"},
            trust={"AWS": PARTNER},
            condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        )
        assumed = {
            "conn_type": "aws",
            "login": PARTNER,
            "password": "test",
            "extra": {
                "region_name": REGION,
                "role_arn": role,
                "assume_role_kwargs": {"ExternalId": EXTERNAL_ID},
            },
        }
        return {
            **super()._connections(account),
            "AIRFLOW_CONN_AWS_ASSUMED": json.dumps(assumed),
            "FAULTS_MEMBERSHIP": self.lab.membership,
            "FAULTS_RESULTS": self.lab.brand.results,
        }

    def _airflow_env(self, database: str) -> dict[str, str]:
        self.services = super()._airflow_env(database)  # up() completes this very dict
        return self.services

    def kill(self, service: str) -> None:
        """End a service with all its processes, without a warning."""
        parent = psutil.Process(int((self.logs / f"{service}.pid").read_text()))
        for one in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                os.kill(one.pid, signal.SIGKILL)
        process.wait_until(f"the end of the {service}", lambda: not process.alive(service, self.logs), 10)

    def start(self, service: str) -> None:
        process.start(service, airflow.command(*airflow.SERVICES[service]), self.services, self.logs)


class Run:
    """One run of a fault's DAG: its task, and what the service saw of it."""

    def __init__(self, stack: FaultyStack, fault: str) -> None:
        self.stack, self.dag = stack, f"fault__{fault}"
        stack.lab.aws.faults()
        self.since = int(stack.lab.aws.audit()[-1]["number"])

    def begin(self) -> Run:
        self.id = f"run-{time.time_ns()}"  # Airflow's own ids have signs that no key prefix may have
        body = {"logical_date": None, "dag_run_id": self.id}
        self.stack.api.call("POST", f"/dags/{self.dag}/dagRuns", json=body)
        return self

    @property
    def task(self) -> dict[str, Any]:
        (task,) = self.stack.api.tasks(self.dag, self.id)
        return task

    @property
    def started(self) -> int:
        """Calls of StartProtectedQuery that the service carried out."""
        calls = self.stack.lab.aws.audit(self.since)
        return sum(call["operation"] == "StartProtectedQuery" and call["status"] == 200 for call in calls)

    def count(self, operation: str) -> int:
        """Calls of an operation since the run was made, refused ones included."""
        calls = self.stack.lab.aws.audit(self.since)
        return sum(call["operation"] == operation for call in calls)

    @property
    def queries(self) -> list[str]:
        """Statuses of the run's queries, oldest first."""
        lab = self.stack.lab
        pages = lab.brand.clean_rooms.get_paginator("list_protected_queries").paginate(
            membershipIdentifier=lab.membership
        )
        found = [lab.query(item["id"]) for page in pages for item in page["protectedQueries"]]
        mine = [query for query in found if self.id in str(query["resultConfiguration"])]
        return [query["status"] for query in sorted(mine, key=lambda query: query["createTime"])]

    def until(self, *states: str, seconds: float = 60) -> str:
        """Wait for the task to be in one of these states."""
        return self._until(lambda: self.task["state"], states, seconds)

    def until_over(self, state: str) -> None:
        """Wait for the whole run to end: Airflow forgets a task that is cleared in the moment before that."""

        def seen() -> str:
            run = self.stack.api.call("GET", f"/dags/{self.dag}/dagRuns/{self.id}")
            return str(run["state"])

        self._until(seen, (state,), 60)

    def until_queries(self, *statuses: str, seconds: float = 30) -> None:
        """Wait for the run's queries to have these statuses, oldest first."""
        self._until(lambda: tuple(self.queries), (statuses,), seconds)

    def until_watched(self) -> None:
        """Wait for the query to run and for whoever waits for it to have seen that."""
        self._until(lambda: "is STARTED after" in self.log(), (True,), 30)

    def mark(self, state: str) -> None:
        path = f"/dags/{self.dag}/dagRuns/{self.id}/taskInstances/query"
        self.stack.api.call("PATCH", path, json={"new_state": state})

    def clear(self) -> None:
        body = {"dry_run": False, "dag_run_id": self.id, "task_ids": ["query"], "only_failed": False}
        self.stack.api.call("POST", f"/dags/{self.dag}/clearTaskInstances", json=body)

    def log(self) -> str:
        """The task's log of all tries, for a failing test to show."""
        files = sorted(self.stack.home.glob(f"logs/dag_id={self.dag}/**/*.log"))
        return "\n".join(path.read_text() for path in files)

    def _until(self, seen: Callable[[], Any], wanted: tuple[Any, ...], seconds: float) -> Any:
        end = time.monotonic() + seconds
        while (now := seen()) not in wanted:
            if time.monotonic() > end:
                raise AssertionError(f"{self.dag}: {now} instead of {wanted}\n{self.log()}")
            time.sleep(0.2)
        return now


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    stack = FaultyStack(tmp_path_factory.mktemp("faults") / "stack", extra_env=QUICK)
    try:
        stack.up((date(2017, 3, 6), date(2017, 3, 6)))
        stack.api.wait_for_dags({"fault__lost", "fault__killed_worker_running", "fault__expired_running"})
        yield stack
    finally:
        stack.down()


@pytest.fixture
def run(stack: FaultyStack) -> Callable[[str], Run]:
    """Makes a run of the DAG of a fault, not yet begun."""
    return lambda fault: Run(stack, fault)
