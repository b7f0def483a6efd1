"""The benchmark compares like with like: every tool makes the keys that ours makes, and verdicts say what was found."""

from __future__ import annotations

import hashlib
import hmac
from argparse import Namespace
from pathlib import Path

import polars as pl
import pytest

from bench import prepare
from bench.generate import generate
from bench.ours import NOT_TEXT
from bench.tasks import RESULT, TASKS

ROWS = 2000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / f"people-{ROWS}.csv"
    generate(ROWS, path)
    return path


@pytest.mark.parametrize("task", sorted(TASKS))
def test_hand_written_code_makes_the_same_keys(
    task: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = ["ours", "polars", "duckdb"]
    runs = {tool: [prepare._one(task, tool, source)] for tool in tools}
    prepare._compare(task, source, runs)
    assert capsys.readouterr().out == ""
    other = pl.read_parquet(prepare._result(task, "ours", source))
    other.with_columns(pl.col("email_key").reverse()).write_parquet(prepare._result(task, "duckdb", source))
    prepare._compare(task, source, runs)
    assert capsys.readouterr().out == "duckdb: OTHER VALUES than ours\n"


def test_keys_are_the_tasks_digests_and_the_columns_are_the_results(source: Path) -> None:
    prepare._one("T1", "ours", source)
    prepare._one("T1", "bytes-key", source)
    first = pl.read_csv(source, n_rows=1)["email"][0].strip().lower().encode()
    for tool, key in (("ours", TASKS["T1"].key or b""), ("bytes-key", NOT_TEXT)):
        rows = pl.read_parquet(prepare._result("T1", tool, source))
        assert rows.columns == list(RESULT)
        assert rows["email_key"][0] == hmac.new(key, first, hashlib.sha256).hexdigest()


def test_a_target_is_met_or_missed_by_the_medians(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(cpu: float, peak: float = 100) -> list[prepare.Facts]:
        return [{"cpu": cpu * n, "wall": 1, "peak": peak, "size": 1} for n in (1, 1, 9)]

    runs = {"ours": run(2, 2000), "polars": run(1), "duckdb": run(10), "encrypted": run(2.5)}
    prepare._print("T1", source, Namespace(rows=ROWS, rounds=3), runs)
    printed = capsys.readouterr().out
    assert "peak 2000 MB of 1300: MISS" in printed
    assert "ours / polars 2.00 of 1.05: MISS" in printed
    assert "ours / duckdb 0.20 of 0.55: pass" in printed
    assert "encrypted / ours 1.25 of 1.3: pass" in printed
