"""A bucket with a CSV, a job's role, and short forms of the calls that every test makes."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sandbox.testing import Sandbox
from tests.waiting import until

SERVICE = {"Service": "databrew.amazonaws.com"}
CSV = b"name,email\nAda,Ada@Example.com\nBob,\n"
LOWER = {"Action": {"Operation": "LOWER_CASE", "Parameters": {"sourceColumn": "email"}}}
DROP = {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumn": "name"}}}
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")

_numbers = itertools.count(1)


class Brewery:
    """One test's resources; ``name`` is theirs and nobody else's."""

    def __init__(self, aws: Sandbox) -> None:
        self.aws = aws
        self.name = f"brew-{next(_numbers)}"
        self.client: Any = aws.client("databrew")
        self.s3: Any = aws.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.put("in/people.csv", CSV)
        self.role = self.make_role("rw", *self.rights())

    def rights(self) -> list[dict[str, Any]]:
        """What a job on this bucket needs."""
        everything = f"arn:aws:s3:::{self.name}/*"
        return [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{self.name}"},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": everything,
            },
        ]

    def make_role(self, suffix: str, *statements: dict[str, Any], trust: Any = SERVICE) -> str:
        return self.aws.role(f"{self.name}-{suffix}", *statements, trust=trust)

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def keys(self, prefix: str = "out/") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in found]

    def read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def table(self, key: str) -> pa.Table:
        return pq.read_table(io.BytesIO(self.read(key)))

    def recipe(self, *steps: dict[str, Any], publish: bool = True) -> None:
        self.client.create_recipe(Name=self.name, Steps=list(steps))
        if publish:
            self.client.publish_recipe(Name=self.name)

    def dataset(self, key: str = "in/people.csv", **more: Any) -> None:
        place = {"S3InputDefinition": {"Bucket": self.name, "Key": key}}
        self.client.create_dataset(Name=self.name, Input=place, **more)

    def job(self, version: str = "1.0", output: dict[str, Any] | None = None, **more: Any) -> None:
        request: dict[str, Any] = {
            "Name": self.name,
            "DatasetName": self.name,
            "RecipeReference": {"Name": self.name, "RecipeVersion": version},
            "RoleArn": self.role,
            "Outputs": [{"Location": {"Bucket": self.name, "Key": "out"}, "Format": "CSV", **(output or {})}],
        }
        self.client.create_recipe_job(**{**request, **more})

    def start(self) -> str:
        run_id: str = self.client.start_job_run(Name=self.name)["RunId"]
        return run_id

    def ended(self, run_id: str) -> dict[str, Any]:
        """Waits for the end of a run and returns its description."""
        return dict(until(lambda: self.described(run_id), lambda run: run["State"] in ENDED))

    def described(self, run_id: str) -> Any:
        return self.client.describe_job_run(Name=self.name, RunId=run_id)

    def run(self, *steps: dict[str, Any], output: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
        """Recipe, dataset, job and a finished run of it."""
        self.recipe(*steps)
        self.dataset()
        self.job(output=output, **job)
        return self.ended(self.start())


def step(operation: str, **parameters: Any) -> dict[str, Any]:
    """A recipe step; what is no text is written as JSON."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
    return {"Action": {"Operation": operation, "Parameters": texts}}
