from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleanrooms.config.source import Source
from sandbox.testing import running
from tests.sources.kit import Shop, make_source


@pytest.fixture(scope="session")
def aws() -> Iterator[Any]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def opened(aws: Any) -> Shop:
    shop = Shop(aws)
    shop.open()
    return shop


@pytest.fixture
def shop(opened: Shop) -> Shop:
    """The account's buckets, empty."""
    opened.clear()
    return opened


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return make_source(tmp_path / "include")
