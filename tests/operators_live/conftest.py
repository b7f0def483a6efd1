"""A real Airflow whose connections may do exactly what infra/policies says, in their own and another account."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from examples.policies import policy
from sandbox.testing import ACCOUNT, PARTNER, REGION, Sandbox
from tests.sandbox.cleanrooms import intermediate
from tests.sandbox.cleanrooms import test_id_mapping as mapping
from tests.sandbox.cleanrooms.lab import Lab, any_query, user
from tests.sandbox.parquet import parquet
from tools.process import StackError
from tools.stack import Stack

DAGS = Path(__file__).parent / "dags"
POLICIES = ("airflow", "lifecycle", "analyses", "databrew")
MODES = ("worker", "triggerer")
EXTERNAL_ID = "brand-and-its-agency"
QUICK = {
    "SANDBOX_CLEANROOMS_STARTED_SECONDS": "15",
    "SANDBOX_CLEANROOMS_CONCURRENT_QUERIES": "50",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__PARALLELISM": "6",
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "6",
}


@dataclass
class Room:
    """A collaboration and the ids of what its DAGs act on."""

    lab: Lab
    mapping: str = ""
    intermediate: str = ""
    template: str = ""
    crawler_role: str = ""

    def __post_init__(self) -> None:
        lab, brand = self.lab, self.lab.brand
        table = pa.table({"email_key": ["a", "b"], "store": ["x", "y"], "dt": ["2017-03-06"] * 2})
        columns = {"email_key": "string", "store": "string"}
        brand.parquet_table("visits", columns, table, keys={"dt": "string"})
        row = parquet(email_key=["c"], store=["x"])
        for key in ("visits/dt=2017-03-07/part-0.parquet", "crawled/dt=2017-03-06/part-0.parquet"):
            brand.s3.put_object(Bucket=brand.data, Key=key, Body=row)
        manifest = json.dumps({"files": [{"name": "a.pgp", "size": 1}]}).encode()
        brand.s3.put_object(Bucket=brand.data, Key="export/a.pgp", Body=b"x")
        brand.s3.put_object(Bucket=brand.data, Key="export/manifest.json", Body=manifest)
        mapping.namespace(brand, lab.membership, "SOURCE")
        mapping.namespace(lab.retailer, lab.retailer_membership, "TARGET")
        mapping.map_to(lab, "loyalty_id,device_id\nl1,d1\n")
        self.mapping = mapping.create(lab)["id"]
        intermediate.share(lab, any_query(), name="sales")
        self.intermediate = intermediate.create(
            lab, "SELECT s.store, SUM(s.spend) AS spent FROM sales s GROUP BY 1"
        )
        self.template = lab.retailer.clean_rooms.create_analysis_template(
            membershipIdentifier=lab.retailer_membership,
            name="count",
            format="SQL",
            source={"text": "SELECT COUNT(*) AS n FROM visits"},
        )["analysisTemplate"]["arn"]
        self.crawler_role = lab.aws.role(f"crawler-{brand.prefix}", trust={"Service": "glue.amazonaws.com"})
        self._allow("crawler", self.crawler_role)

    def role(self, name: str, trust: dict[str, Any]) -> str:
        """A role with exactly the documented policies; its ARN."""
        iam = self.lab.aws.client("iam")
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **trust}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        found = iam.create_role(RoleName=f"{name}-{self.lab.brand.prefix}", AssumeRolePolicyDocument=document)
        arn = str(found["Role"]["Arn"])
        for each in POLICIES:
            self._allow(each, arn)
        return arn

    def values(self) -> dict[str, Any]:
        """What the DAG file is told."""
        lab, brand = self.lab, self.lab.brand
        return {
            "account": ACCOUNT,
            "partner": PARTNER,
            "membership": lab.membership,
            "collaboration": lab.collaboration,
            "database": brand.database,
            "lake": brand.data,
            "results": brand.results,
            "service_role": brand.role,
            "crawler_role": self.crawler_role,
            "mapping": self.mapping,
            "intermediate": self.intermediate,
            "template": self.template,
        }

    def _allow(self, name: str, role_arn: str) -> None:
        brand = self.lab.brand
        buckets = dict.fromkeys(
            ("InboundBucket", "LakeBucket", "QuarantineBucket", "BIBucket", "ReportsBucket"), brand.data
        )
        text = policy(
            name,
            SimpleNamespace(region=REGION, account=ACCOUNT),  # type: ignore[arg-type]
            **buckets,
            ResultsBucket=brand.results,
            ExportPrefix="export",
            DataKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none",
            QuarantineKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none",
            IdentitySecret="none",
            PGPSecret="none",
            TopicName="none",
            Database=brand.database,
            BIDatabase="none",
            MembershipId=self.lab.membership,
            CrawlerRoleName=self.crawler_role.rpartition("/")[2],
            ServiceRoleName=brand.role.rpartition("/")[2],
        )
        self.lab.aws.client("iam").put_role_policy(
            RoleName=role_arn.rpartition("/")[2], PolicyName=name, PolicyDocument=text
        )


@dataclass
class LiveStack(Stack):
    """The usual services, with one collaboration for each mode."""

    rooms: dict[str, Room] = field(init=False)

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        aws = Sandbox(self.endpoint, process=None)  # type: ignore[arg-type]
        self.rooms = {mode: Room(Lab(aws)) for mode in MODES}
        return {"access_key_id": ACCOUNT, "secret_access_key": "test"}

    def _connections(self, account: dict[str, str]) -> dict[str, str]:
        made = super()._connections(account)
        made["AIRFLOW_CONN_PARTNER"] = _connection(PARTNER, "test")
        for mode, room in self.rooms.items():
            for who, home in (("exact", ACCOUNT), ("other", PARTNER)):
                made[f"AIRFLOW_CONN_{who.upper()}_{mode.upper()}"] = self._assumed(room, who, mode, home)
        made["LIVE"] = json.dumps({mode: room.values() for mode, room in self.rooms.items()})
        return made

    def _assumed(self, room: Room, who: str, mode: str, home: str) -> str:
        """A connection that assumes the role; from another account, by an external id."""
        trust: dict[str, Any] = {"Principal": {"AWS": f"arn:aws:iam::{home}:root"}}
        extra: dict[str, Any] = {}
        if home != ACCOUNT:
            trust["Condition"] = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
            extra["assume_role_kwargs"] = {"ExternalId": EXTERNAL_ID}
        role = room.role(f"airflow-{who}-{mode}", trust)
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
        key = user(room.lab.aws, f"worker-{who}-{mode}", may, account=home)
        return _connection(key["AccessKeyId"], key["SecretAccessKey"], role_arn=role, **extra)


class Run:
    """One run of a DAG."""

    def __init__(self, stack: LiveStack, dag: str) -> None:
        self.stack, self.dag, self.id = stack, dag, f"run-{time.time_ns()}"
        stack.api.call("POST", f"/dags/{dag}/dagRuns", json={"logical_date": None, "dag_run_id": self.id})

    @property
    def over(self) -> bool:
        try:
            state = self.stack.api.call("GET", f"/dags/{self.dag}/dagRuns/{self.id}")["state"]
        except StackError:
            return False  # the API server is overloaded: the next look tells
        return state in ("success", "failed")

    @property
    def states(self) -> dict[str, str]:
        """State of each task."""
        return {task["task_id"]: task["state"] for task in self.stack.api.tasks(self.dag, self.id)}

    def result(self, task: str) -> Any:
        """What a task handed on."""
        path = f"/dags/{self.dag}/dagRuns/{self.id}/taskInstances/{task}/xcomEntries/return_value"
        return self.stack.api.call("GET", f"{path}?deserialize=true")["value"]

    def links(self, task: str) -> dict[str, str]:
        """The extra links of a task, as the UI shows them."""
        path = f"/dags/{self.dag}/dagRuns/{self.id}/taskInstances/{task}/links"
        return dict(self.stack.api.call("GET", path)["extra_links"])

    def log(self, task: str = "*") -> str:
        """The log of a task, of all its tries and of the triggerer."""
        files = sorted(self.stack.home.glob(f"logs/dag_id={self.dag}/**/task_id={task}/*.log*"))
        return "\n".join(path.read_text() for path in files)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    stack = LiveStack(tmp_path_factory.mktemp("live") / "stack", extra_env=QUICK)
    try:
        stack.up((date(2017, 3, 6), date(2017, 3, 6)))
        stack.api.wait_for_dags({f"live__exact__{mode}" for mode in MODES})
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="package")
def runs(stack: LiveStack) -> dict[tuple[str, str], Run]:
    """One run of each DAG, all at once, to their ends."""
    started = {
        (who, mode): Run(stack, f"live__{who}__{mode}") for mode in MODES for who in ("exact", "other")
    }
    started["refused", "triggerer"] = Run(stack, "live__refused__triggerer")
    end = time.monotonic() + 540
    while not all(run.over for run in started.values()):
        if time.monotonic() > end:
            open_ones = {key: run.states for key, run in started.items() if not run.over}
            raise AssertionError(f"not over after nine minutes: {open_ones}")
        time.sleep(3)
    return started


def _connection(login: str, password: str, **extra: Any) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": login,
            "password": password,
            "extra": {"region_name": REGION, **extra},
        }
    )
