from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.testing import Sandbox, running
from tests.databrew.kit import House


@pytest.fixture(scope="session")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def house(aws: Sandbox, tmp_path: Path) -> House:
    aws.faults()
    return House(aws, tmp_path / "include")
