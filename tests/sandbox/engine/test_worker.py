"""One query's process: alone with its folder, ended at once, bounded in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.cleanrooms.engine.child import run_worker
from sandbox.cleanrooms.engine.failures import QueryCancelled, QueryFailed
from sandbox.cleanrooms.engine.macros import definitions


def job(folder: Path, query: str, memory: str = "500MB") -> dict[str, Any]:
    """A job without tables, of one column."""
    return {
        "folder": str(folder),
        "memoryLimit": memory,
        "threads": 1,
        "macros": definitions(),
        "tables": [],
        "preparations": [],
        "query": query,
        "columns": ["x"],
        "types": ["VARCHAR"],
        "outputs": [],
    }


def children() -> list[Path]:
    """The processes that this one started, as folders of /proc."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [Path("/proc") / pid for pid in (task / "children").read_text().split()]
    return found


def never() -> None:
    """Wanted to the end."""


LONG = "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b"


def test_it_sees_nothing_of_the_servers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    before, seen = set(children()), []

    def look() -> None:
        for process in set(children()) - before:
            seen.append((process / "environ").read_bytes())
            if b"HOME=" in seen[-1]:
                raise QueryCancelled

    with pytest.raises(QueryCancelled):
        run_worker(job(tmp_path, LONG), look)
    assert b"HOME=" in seen[-1]
    assert b"secret" not in seen[-1]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT content FROM read_text('{other}')",
        "SELECT * FROM read_csv('{other}')",
        "SELECT * FROM glob('{parent}/*')",
        "SELECT * FROM 'https://example.com/x.parquet'",
        "SELECT 1; SET enable_external_access = true",
        "SELECT 1; COPY (SELECT 1) TO '{other}.out'",
        "SELECT 1; ATTACH '{other}.db'",
    ],
)
def test_it_touches_no_file_outside_its_folder(tmp_path: Path, query: str) -> None:
    folder, other = tmp_path / "own", tmp_path / "other.txt"
    folder.mkdir()
    other.write_text("another query's rows\n")
    with pytest.raises(QueryFailed) as failed:
        run_worker(job(folder, query.format(other=other, parent=tmp_path)), never)
    assert "rows" not in failed.value.message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.txt", "own"]


def test_it_is_ended_long_before_its_query_ends(tmp_path: Path) -> None:
    before, started = set(children()), time.monotonic()

    def cancelled() -> None:
        if time.monotonic() - started > 1:
            raise QueryCancelled

    with pytest.raises(QueryCancelled):
        run_worker(job(tmp_path, LONG), cancelled)
    assert set(children()) == before


def spilled(folder: Path) -> int:
    """Bytes that a query has on disk now."""
    sizes = []
    for path in (folder / "spill").glob("*"):
        try:
            sizes.append(os.stat(path).st_size)
        except FileNotFoundError:
            continue
    return sum(sizes)


def peak(look: Callable[[], None]) -> Callable[[], None]:
    """Calls ``look`` no more often than it costs nothing."""
    last = 0.0

    def limited() -> None:
        nonlocal last
        if time.monotonic() - last > 0.05:
            last = time.monotonic()
            look()

    return limited


def test_beyond_its_memory_it_goes_to_disk(tmp_path: Path) -> None:
    before, resident, on_disk = set(children()), [0], [0]

    def look() -> None:
        on_disk.append(spilled(tmp_path))
        for process in set(children()) - before:
            status = (process / "status").read_text()
            resident.extend(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    rows = 3_000_000
    # A sort of some 150 MB; its rows come out by position only.
    query = f"SELECT sha256(CAST(range AS VARCHAR)) AS x FROM range({rows}) ORDER BY x"
    assert run_worker(job(tmp_path, query, memory="120MB"), peak(look)) == rows
    assert max(on_disk) > 20_000_000
    assert 0 < max(resident) < 600_000  # kB, the interpreter and libraries included


def test_what_cannot_go_to_disk_fails_for_want_of_memory(tmp_path: Path) -> None:
    query = "SELECT string_agg(sha256(CAST(range AS VARCHAR)), '') FROM range(10000000)"
    with pytest.raises(QueryFailed) as failed:
        run_worker(job(tmp_path, query, memory="100MB"), never)
    assert failed.value.code == "INSUFFICIENT_COMPUTE"
