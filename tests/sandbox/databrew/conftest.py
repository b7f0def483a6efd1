from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.testing import Sandbox, running
from tests.sandbox.databrew.kit import Brewery


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    # A minute of a job's timeout lasts two seconds here.
    with running(environment={"SANDBOX_DATABREW_MINUTE_SECONDS": "2"}) as sandbox:
        yield sandbox


@pytest.fixture
def brewery(aws: Sandbox) -> Brewery:
    """A bucket, a role and names of their own."""
    return Brewery(aws)
