from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from sandbox.testing import Sandbox, running
from tests.results.examples import OURS

_numbers = count(1)


@pytest.fixture(scope="session")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def s3(aws: Sandbox) -> Any:
    return aws.client("s3", account=OURS)


@pytest.fixture(scope="session")
def glue(aws: Sandbox) -> Any:
    return aws.client("glue", account=OURS)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"results-test-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name
