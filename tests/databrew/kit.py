"""A source that DataBrew prepares, its buckets, roles and key in the local AWS, and a whole day by hand."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleanrooms.config.source import Source
from cleanrooms.databrew import names, service
from cleanrooms.databrew.publish import publish
from cleanrooms.databrew.secrets import ServiceSecrets
from cleanrooms.databrew.stage import Staged, stage
from cleanrooms.recipes import Recipe
from cleanrooms.sources.prepare import prepare
from cleanrooms.sources.report import PrepareReport
from cleanrooms.sources.secrets import SecretsManager
from sandbox.testing import REGION, Sandbox
from tests.waiting import until

DAY = date(2017, 11, 13)
HMAC = b"\x01\xff a key of bytes that are no text"
COLUMNS = [
    {"name": "id", "type": "bigint", "required": True},
    {"name": "email"},
    {"name": "phone"},
    {"name": "amount", "type": "decimal"},
    {"name": "seen_at", "type": "timestamp"},
    {"name": "note"},
]
HEADER = "id,email,phone,amount,seen_at,note"
EXPORT = [
    HEADER,
    "1, Ada@Example.com ,0123,1.25,2017-11-13T08:00:00Z,first",
    "2,bob@example.com,0456,2.50,2017-11-13T09:00:00+02:00,",
    "3,,0789,,,nobody",
    "4,ada@example.com,0123,3.00,2017-11-13T10:00:00Z,again",
]
STEPS = [
    ("LOWER_CASE", {"sourceColumn": "email"}),
    ("REMOVE_COMBINED", {"sourceColumn": "email", "removeAllWhitespace": "true"}),
    ("CRYPTOGRAPHIC_HASH", {"sourceColumns": '["email","phone"]', "secretId": "{secret}"}),
    ("RENAME", {"sourceColumn": "email", "targetColumn": "email_key"}),
    ("DELETE", {"sourceColumn": "note"}),
]
PART = "x_part00000.parquet.snappy"
TRUST = {"Service": "databrew.amazonaws.com"}

_numbers = itertools.count(1)


def steps_of(pairs: Sequence[tuple[str, Mapping[str, str]]]) -> list[dict[str, Any]]:
    return [{"Action": {"Operation": name, "Parameters": dict(given)}} for name, given in pairs]


class House:
    """One test's buckets, key, secret, role and source; all carry its number."""

    def __init__(self, aws: Sandbox, include: Path) -> None:
        self.aws, self.include = aws, include
        self.number = next(_numbers)
        self.s3: Any = aws.client("s3", retries={"total_max_attempts": 3})
        self.client: Any = aws.client("databrew")
        self.vault: Any = aws.client("secretsmanager")
        self.secret = f"hmac-{self.number}"
        self.inbound, self.lake, self.staging, self.quarantine = (
            f"{what}-{self.number}" for what in ("inbound", "lake", "staging", "quarantined")
        )
        for bucket in (self.inbound, self.lake, self.staging, self.quarantine):
            self.s3.create_bucket(Bucket=bucket)
        self.kms_key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.vault.create_secret(Name=self.secret, SecretBinary=HMAC)
        self.role = aws.role(f"job-{self.number}", *self.rights(), trust=TRUST)
        self.send(EXPORT)

    def rights(self) -> list[dict[str, Any]]:
        staging = f"arn:aws:s3:::{self.staging}"
        secret = f"arn:aws:secretsmanager:{REGION}:111122223333:secret:{self.secret}-*"
        return [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": staging},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": f"{staging}/*",
            },
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": self.kms_key},
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret},
        ]

    def send(self, lines: Sequence[str], name: str = "a.csv", day: date = DAY) -> None:
        body = ("\n".join(lines) + "\n").encode()
        self.s3.put_object(Bucket=self.inbound, Key=f"tool/{day}/{name}", Body=body)

    def described(self, **changes: Any) -> dict[str, Any]:
        """The source's file; ``databrew`` holds changes to that section."""
        engine = {
            "role": self.role,
            "bucket": self.staging,
            "kms_key": self.kms_key,
            "name_prefix": f"clean-{self.number}",
            **changes.pop("databrew", {}),
        }
        described: dict[str, Any] = {
            "name": "big_crm",
            "description": "people of a tool",
            "owner": "data",
            "schedule": {"cron": "0 2 * * *", "timezone": "UTC", "start": DAY.isoformat()},
            "export": {
                "bucket": self.inbound,
                "prefix": "tool/{day}/",
                "pattern": "*.csv",
                "quiet_seconds": 0,
            },
            "contract": {"columns": COLUMNS},
            "quarantine": {"bucket": self.quarantine, "kms_key": self.kms_key, "max_ratio": 0.25},
            "recipe": "big_crm.json",
            "engine": "databrew",
            "databrew": engine,
            "target": {
                "bucket": self.lake,
                "prefix": "tables/big_crm",
                "database": "brand",
                "table": "big_crm",
                "crawler": "big-crm",
                "crawler_role": "crawler",
            },
            **changes,
        }
        if described["engine"] != "databrew":
            del described["databrew"]
        return described

    def source(self, steps: Any = STEPS, **changes: Any) -> Source:
        """The source, its recipe written to the include folder."""
        text = json.dumps(steps_of(steps)).replace("{secret}", self.secret)
        for folder in ("recipes", "sources"):
            (self.include / folder).mkdir(parents=True, exist_ok=True)
        (self.include / "recipes" / "big_crm.json").write_text(text)
        path = self.include / "sources" / "big_crm.yaml"
        path.write_text(json.dumps(self.described(**changes)))
        return Source.model_validate({**self.described(**changes), "path": path})

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def secrets(self) -> ServiceSecrets:
        return ServiceSecrets(self.vault)

    # ---- a day by hand

    def stage(self, source: Source, day: date = DAY) -> Staged:
        return stage(source, day, s3=self.s3, secrets=SecretsManager(self.vault))

    def define(self, source: Source, day: date = DAY, token: str = "t") -> str:
        steps = service.steps_for_service(Recipe.load(source.recipe_path), self.secrets().arn)
        version = service.ensure_recipe(self.client, source, steps)
        service.ensure_dataset(self.client, source, day, token)
        service.ensure_job(self.client, source, day, token, version)
        return version

    def run(self, source: Source, day: date = DAY) -> dict[str, Any]:
        name = names.run_name(source, day)
        run_id = self.client.start_job_run(Name=name)["RunId"]
        going = ("STARTING", "RUNNING", "STOPPING")
        return dict(
            until(
                lambda: self.client.describe_job_run(Name=name, RunId=run_id),
                lambda run: run["State"] not in going,
            )
        )

    def publish(self, source: Source, staged: Staged, day: date = DAY) -> PrepareReport:
        return publish(source, day, staged, s3=self.s3, secrets=self.secrets())

    def whole_day(self, source: Source, day: date = DAY) -> PrepareReport:
        staged = self.stage(source, day)
        if staged.good:
            self.define(source, day, staged.token)
            run = self.run(source, day)
            assert run["State"] == "SUCCEEDED", run
        return self.publish(source, staged, day)

    def on_worker(self, source: Source, day: date = DAY) -> PrepareReport:
        return prepare(source, day, s3=self.s3, secrets=SecretsManager(self.vault))

    def published(self, day: date = DAY) -> pa.Table:
        key = f"tables/big_crm/dt={day}/part-00000.parquet"
        return pq.read_table(io.BytesIO(self.s3.get_object(Bucket=self.lake, Key=key)["Body"].read()))

    def write_output(self, source: Source, token: str, table: pa.Table, name: str = PART) -> None:
        """Put a table where the day's job would."""
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="snappy")
        key = names.output_prefix(source, DAY, token) + name
        self.s3.put_object(Bucket=self.staging, Key=key, Body=sink.getvalue())
