"""A collaboration on the local AWS, and clients that run unmodified as processes of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from sandbox.clients import ROOT_SECRET
from sandbox.testing import ACCOUNT, REGION, Sandbox, running
from tests.sandbox.cleanrooms.lab import Lab, any_query
from tools import clients

TEMPLATE = "SELECT s.store, SUM(s.amount) AS total FROM sales s WHERE s.amount >= :least GROUP BY s.store"


class Clients:
    """Runs clients for one account of a sandbox."""

    def __init__(self, aws: Sandbox, account: str = ACCOUNT) -> None:
        self.variables = {
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_PAGER": "",
        }

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs Python with a client; waits for its end."""
        return subprocess.run(
            [str(clients.PYTHON), *arguments],
            env=clients.environment(name, self.variables),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def aws(self, *arguments: str) -> Any:
        """Runs the AWS CLI; returns what it prints as JSON, None when it prints nothing."""
        done = self.run("awscli", "-m", "awscli", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def pandas(self, script: str, *arguments: str) -> Any:
        """Runs a script with the AWS SDK for pandas; returns the JSON that it prints."""
        done = self.run("awswrangler", "-c", script, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="package", autouse=True)
def installed() -> None:
    """The clients, as `make clients` installs them."""
    clients.main()


@pytest.fixture(scope="package")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def lab(aws: Sandbox) -> Lab:
    """The brand has a table ``sales`` that it may query as it likes."""
    made = Lab(aws)
    table = pa.table({"store": ["a", "b", "a"], "amount": pa.array([1, 2, 4], pa.int32())})
    made.brand.parquet_table("sales", {"store": "string", "amount": "int"}, table)
    made.brand.share(made.membership, "sales", ["store", "amount"], "CUSTOM", any_query())
    return made


@pytest.fixture(scope="package")
def template(lab: Lab) -> str:
    """The ARN of a template with one parameter, a number."""
    made = lab.brand.clean_rooms.create_analysis_template(
        membershipIdentifier=lab.membership,
        name="totals",
        format="SQL",
        source={"text": TEMPLATE},
        analysisParameters=[{"name": "least", "type": "INTEGER", "defaultValue": "1"}],
    )
    return str(made["analysisTemplate"]["arn"])


@pytest.fixture
def brand(aws: Sandbox) -> Clients:
    """Clients with the keys of the member who queries."""
    return Clients(aws)
