"""A real Airflow whose connections may do exactly what infra/policies says, in their own and another account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from examples.policies import policy
from sandbox.testing import ACCOUNT, PARTNER, REGION
from tests.real_airflow import DagRun, OwnStack, serving
from tests.sandbox.cleanrooms import intermediate
from tests.sandbox.cleanrooms import test_id_mapping as mapping
from tests.sandbox.cleanrooms.lab import Lab, any_query, user
from tests.sandbox.parquet import parquet

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
class LiveStack(OwnStack):
    """The usual services, with one collaboration for each mode."""

    rooms: dict[str, Room] = field(init=False)

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        self.rooms = {mode: Room(Lab(self.aws)) for mode in MODES}
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


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    live = LiveStack(tmp_path_factory.mktemp("live") / "stack", extra_env=QUICK)
    with serving(live, date(2017, 3, 6), {f"live__exact__{mode}" for mode in MODES}) as stack:
        yield stack


@pytest.fixture(scope="package")
def runs(stack: LiveStack) -> dict[tuple[str, str], DagRun]:
    """One run of each DAG, all at once, to their ends."""
    dags = [(who, mode) for mode in MODES for who in ("exact", "other")] + [("refused", "triggerer")]
    made = {(who, mode): DagRun(stack, f"live__{who}__{mode}") for who, mode in dags}
    for run in made.values():
        run.begin()
    for run in made.values():
        run.until_over("success", "failed")
    return made


def _connection(login: str, password: str, **extra: Any) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": login,
            "password": password,
            "extra": {"region_name": REGION, **extra},
        }
    )
