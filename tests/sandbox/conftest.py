from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from sandbox.testing import Sandbox, running

TINY = {"SANDBOX_CLEAN_ROOMS": "tests.sandbox.tiny:Tiny"}


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    with running(environment=TINY) as sandbox:
        yield sandbox


@pytest.fixture
def aws(server: Sandbox) -> Iterator[Sandbox]:
    """The session's sandbox, without faults before and after."""
    server.faults()
    yield server
    server.faults()


_numbers = itertools.count(1)


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names that no other test uses."""
    return lambda name: f"{name}-{next(_numbers)}"
