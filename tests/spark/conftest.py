from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import ACCOUNT, Sandbox, running
from tests.sources.kit import Shop, make_source
from tests.spark.driver import Driver
from tools.spark import VERSIONS

JOBS = "jobs"


@pytest.fixture(scope="session")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def opened(aws: Sandbox) -> Shop:
    shop = Shop(aws)
    shop.open()
    shop.s3.create_bucket(Bucket=JOBS)
    return shop


@pytest.fixture
def shop(opened: Shop) -> Shop:
    """The account's buckets, empty."""
    opened.clear()
    for key in opened.keys(JOBS):
        opened.s3.delete_object(Bucket=JOBS, Key=key)
    return opened


@pytest.fixture
def source(tmp_path: Path) -> Any:
    return make_source(tmp_path / "include")


@pytest.fixture(scope="session", params=sorted(VERSIONS))
def spark(
    request: pytest.FixtureRequest, aws: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """A Spark of each version that AWS Glue has."""
    account = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    driver = Driver(request.param, tmp_path_factory.mktemp(f"spark-{request.param}"), account)
    try:
        yield driver
    finally:
        driver.stop()
