"""A real Airflow of these tests' own, with one small collaboration whose queries take a few seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import pytest

from sandbox.testing import ACCOUNT, PARTNER, REGION
from tests.real_airflow import QUICK_HEARTBEATS, DagRun, OwnStack, serving
from tests.sandbox.cleanrooms.lab import Lab, any_query
from tools import airflow, process

DAGS = Path(__file__).parent / "dags"
EXTERNAL_ID = "faults-1f9c"
QUICK = {
    "SANDBOX_CLEANROOMS_STARTED_SECONDS": "14",
    "SANDBOX_CLEANROOMS_TIME_LIMIT_SECONDS": "35",
    "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": "50",
    "CLEANROOMS_RETRY_SECONDS": "1",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    **QUICK_HEARTBEATS,
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "12",
}


@dataclass
class FaultyStack(OwnStack):
    """The usual services, on a collaboration that two API users set up."""

    lab: Lab = field(init=False)
    services: dict[str, str] = field(init=False)

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        lab = self.lab = Lab(self.aws)
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
                one.kill()
        process.wait_until(f"the end of the {service}", lambda: not process.alive(service, self.logs), 60)

    def started_queries(self) -> list[str]:
        """Ids of all queries that run."""
        listed = self.lab.brand.clean_rooms.list_protected_queries(
            membershipIdentifier=self.lab.membership, status="STARTED"
        )["protectedQueries"]
        return [query["id"] for query in listed]

    def start(self, service: str) -> None:
        process.start(service, airflow.command(*airflow.SERVICES[service]), self.services, self.logs)


class Run(DagRun):
    """One run of a fault's DAG: its task, and the queries that it started."""

    stack: FaultyStack
    task_id = "query"

    def __init__(self, stack: FaultyStack, fault: str) -> None:
        super().__init__(stack, f"fault__{fault}")

    @property
    def started(self) -> int:
        """Calls of StartProtectedQuery that the service carried out."""
        return self.accepted("StartProtectedQuery")

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

    def until_queries(self, *statuses: str) -> None:
        """Wait for the run's queries to have these statuses, oldest first."""
        self.wait_for(lambda: tuple(self.queries), statuses)

    def until_watched(self) -> None:
        """Wait for the query to run and for whoever waits for it to have seen that."""
        self.until_logged("is STARTED after")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    faulty = FaultyStack(tmp_path_factory.mktemp("faults") / "stack", extra_env=QUICK)
    dags = {"fault__lost", "fault__killed_worker_running", "fault__expired_running"}
    with serving(faulty, date(2017, 3, 6), dags) as stack:
        yield stack


@pytest.fixture
def run(stack: FaultyStack) -> Callable[[str], Run]:
    """Makes a run of the DAG of a fault, not yet begun."""
    return lambda fault: Run(stack, fault)
