"""The command line: running and explaining recipes, with keys that are never printed."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from cleanrooms.identity.hashing import digest_text
from cleanrooms.identity.keys import SecretKey
from cleanrooms.recipes.__main__ import main
from tests.recipes.helpers import CANARY, step

STEPS = [
    step("LOWER_CASE", sourceColumn="email"),
    step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', secretId="arn:join"),
]
HMAC = digest_text("ann@ex.com", "HMAC_SHA256", "base64", SecretKey(CANARY.encode(), "e"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "recipe.json").write_text(json.dumps(STEPS))
    (tmp_path / "in.csv").write_text("email,zip\nAnn@Ex.com,01234\n,\n")
    (tmp_path / "key").write_text(CANARY + "\n")
    return {name: str(tmp_path / name) for name in ("recipe.json", "in.csv", "key", "out.parquet", "out.csv")}


def test_run_writes_parquet_with_metadata(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["run", files["recipe.json"], files["in.csv"], files["out.parquet"], "--key-file", files["key"]])
        == 0
    )
    found = pq.read_table(files["out.parquet"])
    assert found.to_pydict() == {"email": [HMAC, None], "zip": ["01234", None]}
    assert b"cleanrooms.identity" in found.schema.field("email").metadata
    assert "2 rows read, 2 written" in capsys.readouterr().err


def test_run_takes_the_key_from_a_named_variable(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOIN_KEY", CANARY)
    assert (
        main(["run", files["recipe.json"], files["in.csv"], files["out.csv"], "--key-env", "JOIN_KEY"]) == 0
    )
    assert pc.read_csv(files["out.csv"])["email"][0].as_py() == HMAC


def test_run_without_a_key_says_how_to_give_one(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", files["recipe.json"], files["in.csv"], files["out.csv"]]) == 1
    assert "--key-file" in capsys.readouterr().err


def test_explain_shows_tiers_and_columns_and_needs_no_key(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", files["recipe.json"]]) == 0
    assert main(["explain", files["recipe.json"], "--input", files["in.csv"]]) == 0
    shown = capsys.readouterr().out
    assert "CRYPTOGRAPHIC_HASH" in shown
    assert "portable" in shown
    assert "runs: each batch alone, on every engine" in shown
    assert "email String, zip String" in shown


def test_a_file_that_is_absent_is_exit_2(files: dict[str, str]) -> None:
    assert main(["run", files["recipe.json"], files["in.csv"] + "x", files["out.csv"]]) == 2
