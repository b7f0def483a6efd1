"""``python -m cleanrooms.recipes run --engine spark``: the file that the worker's engine writes."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.recipes.__main__ import main
from tests.recipes.helpers import step
from tests.spark.driver import Driver
from tests.spark.work import terminal_main

STEPS = [
    step("LOWER_CASE", sourceColumn="email"),
    step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', secretId="join"),
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_the_same_as_from_the_worker(kind: str, spark: Driver, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(STEPS))
    (tmp_path / "key").write_text("k")
    emails = ["Ann@Ex.com", None, "b@ex.com", "Σ@ex.com"] * 50
    if kind == "csv":
        rows = "".join(f"{e or ''},{n}\n" for n, e in enumerate(emails))
        (tmp_path / "in.csv").write_text(f"email,n\n{rows}")
    else:
        table = pa.table({"email": emails, "n": range(len(emails))})
        pq.write_table(table, tmp_path / "in.parquet", row_group_size=60)
    given = [str(tmp_path / "recipe.json"), str(tmp_path / f"in.{kind}")]
    key = ["--key-file", str(tmp_path / "key")]
    assert main(["run", *given, str(tmp_path / "worker.parquet"), *key]) == 0
    assert (
        spark(terminal_main, ["run", *given, str(tmp_path / "spark.parquet"), *key, "--engine", "spark"]) == 0
    )
    worker, other = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("worker", "spark"))
    assert other.equals(worker, check_metadata=True)
    assert worker.num_rows == len(emails)


def test_without_pyspark_the_engine_is_refused_with_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.json").write_text("[]")
    (tmp_path / "in.csv").write_text("a\n1\n")
    files = [str(tmp_path / name) for name in ("recipe.json", "in.csv", "out.csv")]
    assert main(["run", *files, "--engine", "spark"]) == 1
    assert "Install pyspark 3.5 or 4" in capsys.readouterr().err
