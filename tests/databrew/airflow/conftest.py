"""A real Airflow of these tests' own: two sources with the same rows, one per engine, and jobs for faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from examples.policies import policy
from sandbox.testing import ACCOUNT, REGION, Sandbox
from tests.databrew.kit import DAY, STEPS, House
from tools.stack import Stack

DAGS = Path(__file__).parent / "dags"
FAULTS = (
    "killed",
    "killed_in_worker",
    "lost",
    "lost_in_worker",
    "failed",
    "failed_in_worker",
    "cleared",
    "cleared_in_worker",
    "outside",
    "timeout",
    "again",
)
QUICK = {
    "SANDBOX_DATABREW_RUNNING_SECONDS": "9",
    "SANDBOX_DATABREW_STOPPING_SECONDS": "1",
    # A job of one minute runs into its timeout before it is done.
    "SANDBOX_DATABREW_MINUTE_SECONDS": "3",
    "CLEANROOMS_RETRY_SECONDS": "1",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "6",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


@dataclass
class BrewStack(Stack):
    """The usual services on one house; Airflow's user has exactly the documented permissions."""

    house: House = field(init=False)
    jobs: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.include = self.folder / "include"
        self.extra_env |= {"CLEANROOMS_INCLUDE_DIR": str(self.include), "PYTHONPATH": ""}

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        house = self.house = House(Sandbox(self.endpoint, process=None), self.include)  # type: ignore[arg-type]
        self.jobs = {fault: self._job(fault, DAY - timedelta(days=n)) for n, fault in enumerate(FAULTS, 1)}
        house.aws.role("crawler", trust={"Service": "glue.amazonaws.com"})
        iam = house.aws.client("iam")
        iam.put_role_policy(RoleName="crawler", PolicyName="crawler", PolicyDocument=self._policy("crawler"))
        crawler_role = f"arn:aws:iam::{ACCOUNT}:role/crawler"
        self.sources(crawler_role)
        iam.create_user(UserName="airflow")
        for name in ("airflow", "airflow-databrew"):
            iam.put_user_policy(UserName="airflow", PolicyName=name, PolicyDocument=self._policy(name))
        key = iam.create_access_key(UserName="airflow")["AccessKey"]
        return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}

    def sources(self, crawler_role: str) -> None:
        """Write both sources: they differ in engine, place of the exports and table."""
        house = self.house
        target = {**house.described()["target"], "crawler_role": crawler_role}
        house.source(STEPS, target=target)
        export = {**house.described()["export"], "prefix": "small/{day}/"}
        small = {**target, "prefix": "tables/small_crm", "table": "small_crm", "crawler": "small-crm"}
        described = house.described(
            name="small_crm", engine="worker", export=export, target=small, recipe="big_crm.json"
        )
        (self.include / "sources" / "small_crm.yaml").write_text(json.dumps(described))
        (self.include / "collaborations").mkdir(exist_ok=True)

    def _job(self, fault: str, day: date) -> str:
        """A job on rows of its own, as the engine makes it."""
        house = self.house
        house.send(["id,email,phone,amount,seen_at,note", "1,a@b.c,1,,,"], day=day)
        source = house.source(databrew={"timeout_minutes": 1 if fault == "timeout" else 110})
        house.define(source, day, house.stage(source, day).token)
        return f"clean-{house.number}-big-crm-{day}"

    def _policy(self, name: str) -> str:
        house = self.house
        party: Any = SimpleNamespace(region=REGION, account=ACCOUNT)
        secret = house.secret
        unused = dict.fromkeys(
            ("ResultsBucket", "BIBucket", "ReportsBucket", "BIDatabase", "PGPSecret", "MembershipId"),
            "unused",
        )
        return policy(
            name,
            party,
            InboundBucket=house.inbound,
            ExportPrefix="*",
            LakeBucket=house.lake,
            QuarantineBucket=house.quarantine,
            DataKeyArn=house.kms_key,
            QuarantineKeyArn=house.kms_key,
            IdentitySecret=secret,
            Database="brand",
            TopicName="nobody",
            CrawlerRoleName="crawler",
            StagingBucket=house.staging,
            StagingPrefix="databrew",
            StagingKeyArn=house.kms_key,
            HashingSecret=secret,
            DataBrewPrefix=f"clean-{house.number}",
            DataBrewRoleName=f"job-{house.number}",
            **unused,
        )

    def _connections(self, account: dict[str, str]) -> dict[str, str]:
        return {**super()._connections(account), "DATABREW_JOBS": json.dumps(self.jobs)}


class Run:
    """One run of a DAG, and what the service saw of it."""

    def __init__(self, stack: BrewStack, dag: str) -> None:
        self.stack, self.dag = stack, dag
        stack.house.aws.faults()
        self.since = int(stack.house.aws.audit()[-1]["number"])

    def begin(self, **params: Any) -> Run:
        self.id = f"run-{time.time_ns()}"
        body = {"logical_date": None, "dag_run_id": self.id, "conf": params}
        self.stack.api.call("POST", f"/dags/{self.dag}/dagRuns", json=body)
        return self

    def task(self, task_id: str = "run") -> dict[str, Any]:
        tasks = self.stack.api.tasks(self.dag, self.id)
        return next(task for task in tasks if task["task_id"] == task_id)

    def accepted(self, operation: str) -> int:
        """Calls of an operation that the service carried out since the run was made."""
        calls = self.stack.house.aws.audit(self.since)
        return sum(call["operation"] == operation and call["status"] == 200 for call in calls)

    def states(self, job: str) -> list[str]:
        """States of a job's runs, oldest first."""
        runs = self.stack.house.client.list_job_runs(Name=job)["JobRuns"]
        return [run["State"] for run in runs][::-1]

    def until(self, *states: str, task_id: str = "run", seconds: float = 90) -> str:
        return str(self._until(lambda: self.task(task_id)["state"], states, seconds))

    def until_states(self, job: str, *states: str, seconds: float = 40) -> None:
        self._until(lambda: tuple(self.states(job)), (states,), seconds)

    def until_watched(self) -> None:
        """Wait for whoever waits for the job's run to have seen it running."""
        self._until(lambda: "RUNNING" in self.log(), (True,), 40)

    def until_over(self, *states: str, seconds: float = 300) -> str:
        """Wait for the whole run to end."""

        def seen() -> str:
            return str(self.stack.api.call("GET", f"/dags/{self.dag}/dagRuns/{self.id}")["state"])

        return str(self._until(seen, states, seconds))

    def mark(self, state: str, task_id: str = "run") -> None:
        path = f"/dags/{self.dag}/dagRuns/{self.id}/taskInstances/{task_id}"
        self.stack.api.call("PATCH", path, json={"new_state": state})

    def clear(self, *tasks: str) -> None:
        body = {"dry_run": False, "dag_run_id": self.id, "task_ids": list(tasks), "only_failed": False}
        self.stack.api.call("POST", f"/dags/{self.dag}/clearTaskInstances", json=body)

    def log(self) -> str:
        """The DAG's logs of all tries, for a failing test to show."""
        files = sorted(self.stack.home.glob(f"logs/dag_id={self.dag}/**/*.log"))
        return "\n".join(path.read_text() for path in files)

    def _until(self, seen: Callable[[], Any], wanted: tuple[Any, ...], seconds: float) -> Any:
        end = time.monotonic() + seconds
        while (now := seen()) not in wanted:
            if time.monotonic() > end:
                raise AssertionError(f"{self.dag}: {now} instead of {wanted}\n{self.log()[-6000:]}")
            time.sleep(0.3)
        return now


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrewStack]:
    stack = BrewStack(tmp_path_factory.mktemp("brew") / "stack", extra_env=dict(QUICK))
    try:
        stack.up((DAY, DAY))
        stack.api.wait_for_dags({"ingest__big_crm", "ingest__small_crm", "brew__killed"})
        yield stack
    finally:
        stack.down()


@pytest.fixture
def run(stack: BrewStack) -> Callable[[str], Run]:
    """Makes a run of a DAG, not yet begun."""
    return lambda dag: Run(stack, dag)
