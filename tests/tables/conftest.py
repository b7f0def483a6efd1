from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import running


@pytest.fixture(scope="session")
def aws() -> Iterator[Any]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def s3(aws: Any) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="lake")
    return client


@pytest.fixture(scope="session")
def glue(aws: Any) -> Any:
    return aws.client("glue")
