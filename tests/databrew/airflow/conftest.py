"""A real Airflow of these tests' own: two sources with the same rows, one per engine, and jobs for faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from examples.policies import policy
from sandbox.testing import ACCOUNT, REGION
from tests.databrew.kit import DAY, STEPS, House
from tests.real_airflow import QUICK_HEARTBEATS, DagRun, OwnStack, serving

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
    "SANDBOX_DATABREW_RUNNING_SECONDS": "15",
    "SANDBOX_DATABREW_STOPPING_SECONDS": "1",
    # A job of one minute runs into its timeout before it is done.
    "SANDBOX_DATABREW_MINUTE_SECONDS": "3",
    "CLEANROOMS_RETRY_SECONDS": "1",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    **QUICK_HEARTBEATS,
}


@dataclass
class BrewStack(OwnStack):
    """The usual services on one house; Airflow's user has exactly the documented permissions."""

    house: House = field(init=False)
    jobs: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.include = self.folder / "include"
        self.extra_env |= {"CLEANROOMS_INCLUDE_DIR": str(self.include), "PYTHONPATH": ""}

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        house = self.house = House(self.aws, self.include)
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


class Run(DagRun):
    """One run of a DAG, and the runs of the jobs that it started."""

    stack: BrewStack
    task_id = "run"

    def job_states(self, job: str) -> list[str]:
        """States of a job's runs, oldest first."""
        runs = self.stack.house.client.list_job_runs(Name=job)["JobRuns"]
        return [run["State"] for run in runs][::-1]

    def until_job_states(self, job: str, *states: str) -> None:
        """Wait for a job's runs to have these states, oldest first."""
        self.wait_for(lambda: tuple(self.job_states(job)), states)

    def until_watched(self) -> None:
        """Wait for whoever waits for the job's run to have seen it running."""
        self.until_logged("RUNNING")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrewStack]:
    brew = BrewStack(tmp_path_factory.mktemp("brew") / "stack", extra_env=dict(QUICK))
    with serving(brew, DAY, {"ingest__big_crm", "ingest__small_crm", "brew__killed"}) as stack:
        yield stack


@pytest.fixture
def run(stack: BrewStack) -> Callable[[str], Run]:
    """Makes a run of a DAG, not yet begun."""
    return lambda dag: Run(stack, dag)
