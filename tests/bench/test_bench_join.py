"""The join benchmark compares results and fails over its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import join


def test_both_ways_give_the_same_result_and_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "LIMIT_RATIO", 1000)  # so few rows tell nothing about time
    assert join.main(["--rows", "200000", "--rounds", "1", "--folder", str(tmp_path)]) == 0
    assert "engine / DuckDB" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("slower", "memory", "code"), [(1.2, 900, 0), (1.4, 900, 1), (1.0, 5000, 1)])
def test_it_fails_over_its_limits(slower: float, memory: float, code: int) -> None:
    base = {"wall": 10.0, "cpu": 10.0, "memory": 800.0}
    runs = {"engine": [{"wall": 10 * slower, "cpu": 10.0, "memory": memory}], "duckdb": [base]}
    assert join._verdict(runs) == code
