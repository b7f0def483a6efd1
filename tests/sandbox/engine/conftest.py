"""One Spark for the folder, and the engine's worker over the same edge values."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.engine import edges
from tests.sandbox.engine.sides import Sparks
from tools.spark import PYTHON, environment


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Parquet file of the edge values."""
    path = tmp_path_factory.mktemp("edges") / "t.parquet"
    edges.write(path)
    return path


@pytest.fixture(scope="session")
def sparks(table: Path) -> Iterator[Sparks]:
    """A Spark of the service's line that holds the edge values as table ``t``."""
    driver = Path(__file__).with_name("spark_driver.py")
    process = subprocess.Popen(
        [str(PYTHON), str(driver)],
        env=environment("3.5"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(json.dumps({"t": str(table)}) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"

        def ask(queries: Sequence[str]) -> list[dict[str, Any]]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(list(queries)) + "\n")
            process.stdin.flush()
            answers: list[dict[str, Any]] = json.loads(process.stdout.readline())
            return answers

        yield ask
        process.kill()


@pytest.fixture
def engine(table: Path, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Runs a query as the sandbox does, over the same file."""
    from tests.sandbox.engine.sides import in_engine

    return lambda query: in_engine(query, table, tmp_path)
