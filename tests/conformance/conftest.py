"""One room for the folder, and a slower one for what takes two queries at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.places import RefusedError, place, wanted
from tests.conformance.report import Report
from tests.conformance.room import Room, room
from tests.conformance.tables import fill


@pytest.fixture(scope="package", autouse=True)
def permission() -> None:
    """Fails before anything is made when real accounts must not be used."""
    try:
        wanted()
    except RefusedError as error:
        pytest.exit(str(error), returncode=2)


@pytest.fixture(scope="package")
def quick() -> Iterator[Room]:
    with place() as where, room(where) as made:
        yield fill(made)


@pytest.fixture(scope="package")
def slow(quick: Room) -> Iterator[Room]:
    """Queries take their time, as they do in a real place."""
    if quick.place.real:
        yield quick
        return
    with place(started_seconds="20") as where, room(where) as made:
        yield fill(made)


@pytest.fixture(scope="package")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """Collects what is found out; written at the end."""
    report = Report.from_environment(tmp_path_factory.mktemp("conformance") / "conformance.md")
    yield report
    report.write()


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    return tmp_path / "report.md"
