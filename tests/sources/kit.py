"""A small source for tests: its config, its buckets in the sandbox, and exports as an application sends them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pysequoia

from cleanrooms.config.source import Source
from cleanrooms.sources.prepare import prepare
from cleanrooms.sources.report import PrepareReport
from cleanrooms.sources.secrets import SecretsManager

DAY = date(2017, 11, 13)
INBOUND, LAKE, QUARANTINE = "inbound", "lake", "quarantined"
HMAC_KEY = "k3Y-0123456789abcdef0123456789AB"
KEY = pysequoia.Tsk.generate("Brand <brand@example.com>")
OTHER_KEY = pysequoia.Tsk.generate("Other <other@example.com>")

COLUMNS = [
    {"name": "id", "type": "bigint", "required": True},
    {"name": "email"},
    {"name": "phone"},
    {"name": "amount", "type": "decimal"},
    {"name": "seen_at", "type": "timestamp"},
]
HEADER = "id,email,phone,amount,seen_at"
RECIPE = [
    {
        "Action": {
            "Operation": "CRYPTOGRAPHIC_HASH",
            "Parameters": {
                "sourceColumns": '["email","phone"]',
                "algorithm": "HMAC_SHA256",
                "secretId": "hmac",
            },
        }
    },
    {"Action": {"Operation": "RENAME", "Parameters": {"sourceColumn": "email", "targetColumn": "email_key"}}},
    {"Action": {"Operation": "RENAME", "Parameters": {"sourceColumn": "phone", "targetColumn": "phone_key"}}},
]


def make_source(folder: Path, *, export: Mapping[str, Any] | None = None, **fields: Any) -> Source:
    """A source of encrypted gzip CSV unless ``export`` (changes to it) or ``fields`` say otherwise."""
    (folder / "recipes").mkdir(parents=True, exist_ok=True)
    (folder / "recipes" / "exposures.json").write_text(json.dumps(RECIPE))
    described: dict[str, Any] = {
        "name": "exposures",
        "description": "exposures of a tool",
        "owner": "data",
        "schedule": {"cron": "0 2 * * *", "timezone": "UTC", "start": DAY},
        "export": {
            "bucket": INBOUND,
            "prefix": "tool/{day}/",
            "pattern": "*.pgp",
            "compression": "gzip",
            "encryption": {"private_key_secret": "pgp"},
            **(export or {}),
        },
        "contract": {"columns": COLUMNS},
        "quarantine": {"bucket": QUARANTINE, "kms_key": "alias/quarantine", "max_ratio": 0.25},
        "identity": [
            {"column": "email", "identifier": "email"},
            {"column": "phone", "identifier": "phone", "region": "US"},
        ],
        "recipe": "exposures.json",
        "target": {
            "bucket": LAKE,
            "prefix": "tables/exposures",
            "database": "brand",
            "table": "exposures",
            "crawler": "exposures",
            "crawler_role": "crawler",
        },
    }
    if "database" in fields:
        del described["export"]
    return Source.model_validate({**described, **fields, "path": folder / "sources" / "exposures.yaml"})


def csv_text(rows: Iterable[str], header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def good_rows(count: int, start: int = 1) -> list[str]:
    return [
        f"{n},Person.{n}@Example.com,(212) 555-{n % 10000:04d},{n}.25,2017-11-13T08:00:00Z"
        for n in range(start, start + count)
    ]


def encrypt(content: bytes, key: Any = None) -> bytes:
    """OpenPGP as a sender makes it."""
    return pysequoia.encrypt(content, [(key or KEY).extract_certificate()], armor=False)


def packed(rows: Sequence[str], header: str = HEADER) -> bytes:
    """Encrypted gzip CSV."""
    return encrypt(gzip.compress(csv_text(rows, header), mtime=0))


class Shop:
    """Buckets, keys and secrets of the account, and what is in them."""

    def __init__(self, aws: Any) -> None:
        self.s3 = aws.client("s3", retries={"total_max_attempts": 3})
        self.secrets_client = aws.client("secretsmanager")
        self.kms = aws.client("kms")

    def open(self) -> None:
        for bucket in (INBOUND, LAKE, QUARANTINE):
            self.s3.create_bucket(Bucket=bucket)
        self.kms.create_alias(
            AliasName="alias/quarantine", TargetKeyId=self.kms.create_key()["KeyMetadata"]["KeyId"]
        )
        self.secrets_client.create_secret(Name="pgp", SecretString=str(KEY))
        self.secrets_client.create_secret(Name="other-pgp", SecretString=str(OTHER_KEY))
        self.secrets_client.create_secret(Name="hmac", SecretString=HMAC_KEY)

    def clear(self) -> None:
        for bucket in (INBOUND, LAKE, QUARANTINE):
            for key in self.keys(bucket):
                self.s3.delete_object(Bucket=bucket, Key=key)

    def send(self, name: str, content: bytes, prefix: str = f"tool/{DAY}/") -> None:
        self.s3.put_object(Bucket=INBOUND, Key=prefix + name, Body=content)

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def get(self, bucket: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def uploads(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def secrets(self, mask: Any = None) -> SecretsManager:
        return SecretsManager(self.secrets_client, mask)

    def prepare(self, source: Source, day: date = DAY, **more: Any) -> PrepareReport:
        return prepare(source, day, s3=self.s3, secrets=self.secrets(), **more)

    def published(self) -> pa.Table:
        """Rows of the one published partition."""
        return pq.read_table(io.BytesIO(self.get(LAKE, f"tables/exposures/dt={DAY}/part-00000.parquet")))

    def quarantined(self) -> list[dict[str, Any]]:
        lines = self.get(QUARANTINE, f"quarantine/exposures/dt={DAY}/rows.jsonl").splitlines()
        return [json.loads(line) for line in lines]
