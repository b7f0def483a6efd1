"""A sandbox and a PostgreSQL server, both real, for the example's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.testing import Sandbox, running


@pytest.fixture(scope="package")
def aws() -> Iterator[Sandbox]:
    """An empty local AWS, and ``AWS_ENDPOINT_URL`` pointing to it."""
    with running() as sandbox:
        before = os.environ.get("AWS_ENDPOINT_URL")
        os.environ["AWS_ENDPOINT_URL"] = sandbox.endpoint
        yield sandbox
        if before is None:
            del os.environ["AWS_ENDPOINT_URL"]
        else:
            os.environ["AWS_ENDPOINT_URL"] = before


@pytest.fixture(scope="package")
def crm_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of an embedded PostgreSQL server on a unix socket."""
    from tools import postgres

    folder: Path = tmp_path_factory.mktemp("crm")
    server = postgres.embedded().get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
