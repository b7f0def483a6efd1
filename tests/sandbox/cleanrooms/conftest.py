"""One sandbox for the folder, and collaborations in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.testing import Sandbox, running
from tests.sandbox.cleanrooms.intermediate import share
from tests.sandbox.cleanrooms.lab import Lab, any_query


@pytest.fixture(scope="session")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def lab(aws: Sandbox) -> Lab:
    """A collaboration of its own, with active members and no tables."""
    return Lab(aws)


@pytest.fixture
def shop(lab: Lab) -> Iterator[Lab]:
    """The retailer's visits, open to any query of the brand."""
    share(lab, any_query())
    yield lab
    lab.aws.clock(0)
