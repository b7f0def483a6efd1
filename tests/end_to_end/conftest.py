"""The whole house once: real scheduler, triggerer and API server, the local AWS, one week of the example."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools import airflow as tools_airflow
from tools import pipeline, results
from tools.stack import Stack
from tools.week import COLLABORATION, DAYS, SOURCES, WEEK, nightly_runs, weekly_runs

NIGHTS = [f"ingest__{source}" for source in SOURCES]
WEEKLY = f"collaborate__{COLLABORATION}"


@dataclass
class Ran:
    """A stack on which the week has run."""

    stack: Stack
    comparisons: list[pipeline.Comparison]

    def client(self, service: str) -> Any:
        return self.stack.client(service, results.BRAND)

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """All objects of a bucket of the brand, by key."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def accepted(self, operation: str) -> int:
        """How many calls of an operation the local AWS has accepted, by its audit."""
        calls = httpx.get(f"{self.stack.endpoint}/_sandbox/audit", timeout=120).json()
        return sum(call["operation"] == operation and not call["error"] for call in calls)

    def started_queries(self) -> int:
        """How many protected queries the service has accepted."""
        return self.accepted("StartProtectedQuery")


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("stack")
    temporary = folder / "tmp"
    temporary.mkdir()
    include = include_with_trouble(folder)
    stack = Stack(
        folder / "stack",
        extra_env={
            "TMPDIR": str(temporary),
            "CLEANROOMS_RETRY_SECONDS": "2",
            "CLEANROOMS_INCLUDE_DIR": str(include),
        },
    )
    try:
        stack.up(DAYS)
        stack.api.wait_for_dags({*NIGHTS, WEEKLY})
        pipeline.backfill(stack, NIGHTS, *nightly_runs())
        pipeline.backfill(stack, [WEEKLY], *weekly_runs())
        yield Ran(stack, results.compare(stack, WEEK))
    finally:
        stack.down()


@pytest.fixture(scope="session")
def temporary_folder(ran: Ran) -> Path:
    """Where all processes of the stack put temporary files."""
    return Path(ran.stack.extra_env["TMPDIR"])


def include_with_trouble(folder: Path) -> Path:
    """A copy of include/ with a short deadline, a source with a typo and a query that breaks a rule."""
    include = folder / "include"
    shutil.copytree(tools_airflow.ROOT / "include", include)
    source = include / "sources" / "campaign_exposures.yaml"
    text = source.read_text()
    source.write_text(
        text.replace("deadline_seconds: 21600", "deadline_seconds: 15").replace(
            "poll_seconds: 60", "poll_seconds: 2"
        )
    )
    typo = text.replace("name: campaign_exposures", "name: typo").replace("recipe:", "recipy:")
    (include / "sources" / "typo.yaml").write_text(typo)
    room = (include / "collaborations" / f"{COLLABORATION}.yaml").read_text()
    (include / "collaborations" / "greedy.yaml").write_text(
        room.replace(f"name: {COLLABORATION}", "name: greedy").replace("audience_overlap.sql", "greedy.sql")
    )
    (include / "sql" / "greedy.sql").write_text(
        "SELECT c.segment, c.email_key, COUNT(DISTINCT c.email_key) AS households FROM crm_households AS c "
        "INNER JOIN customers AS k ON c.email_key = k.email_key GROUP BY c.segment, c.email_key\n"
    )
    return include
