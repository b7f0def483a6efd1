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


def test_explain_without_input_fails_where_an_action_is_unknown(
    files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files["recipe.json"]).write_text(json.dumps([step("LOWER_CASE", sourceColumn="a"), step("FOO_BAR")]))
    assert main(["explain", files["recipe.json"]]) == 1
    assert "2 FOO_BAR" in capsys.readouterr().out


ODD_FILES = {
    "empty": ("", 2, "Empty CSV file"),
    "blank lines": ("\n\n", 2, "CSV parse error"),
    "a header alone": ("email,zip\n", 0, "0 rows read, 0 written"),
    "nulls alone": ("email,zip\n,\n,\n", 0, "2 rows read, 2 written"),
    "a column twice": ("email,email\nx,y\n", 1, "'email' stands twice"),
    "another separator": ("email;zip\nx;y\n", 1, "Columns at this step: email;zip"),
    "a short line": ("email,zip\nvery-private@ex.com\n", 2, "Expected 2 columns, got 1"),
    "a pattern as a name": ("email,*\nx,y\n", 1, "meets a column named '*'"),
}


@pytest.mark.parametrize("name", ODD_FILES)
@pytest.mark.parametrize("more", [[], ["--whole-table"]])
def test_odd_files_are_run_or_refused_clearly(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], name: str, more: list[str]
) -> None:
    text, code, message = ODD_FILES[name]
    Path(files["in.csv"]).write_text(text)
    command = [
        "run",
        files["recipe.json"],
        files["in.csv"],
        files["out.csv"],
        "--key-file",
        files["key"],
        *more,
    ]
    assert main(command) == code
    told = capsys.readouterr()
    assert message in told.err
    assert "very-private" not in told.err + told.out


VECTOR = (
    "{id: v, operation: LOWER_CASE, parameters: {sourceColumn: a}, fidelity: exact, input: {columns: [a], "
)
ODD_VECTORS = {
    "no YAML": ("{", 2, "is no YAML"),
    "nothing": ("", 2, "no list of vectors"),
    "no vectors": ("vectors: []", 2, "no list of vectors"),
    "a number": ("vectors: [1]", 2, "vector 1 of"),
    "no operation": ("vectors: [{id: v, fidelity: exact}]", 1, "no steps, or no table as input"),
    "rows of other lengths": (
        f"vectors: [{VECTOR} rows: [[x], [y, z]]}}, expected: {{columns: [a], rows: []}}}}]",
        1,
        "no table as input",
    ),
    "nothing expected": (f"vectors: [{VECTOR} rows: [[x]]}}}}]", 1, "nothing to compare with"),
    "no columns expected": (f"vectors: [{VECTOR} rows: [[x]]}}, expected: {{}}}}]", 1, "KeyError"),
    "no rows": (
        f"vectors: [{VECTOR} rows: []}}, expected: {{columns: [a], rows: []}}}}]",
        0,
        "exact      pass",
    ),
}


@pytest.mark.parametrize("name", ODD_VECTORS)
def test_odd_files_of_vectors_are_told_clearly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text, code, message = ODD_VECTORS[name]
    (tmp_path / "cases.yaml").write_text(text)
    assert main(["cases", str(tmp_path / "cases.yaml")]) == code
    told = capsys.readouterr()
    assert message in told.err + told.out


def test_an_unknown_engine_is_refused(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", files["recipe.json"], files["in.csv"], files["out.csv"], "--engine", "duck"])
    assert left.value.code == 2
    assert "choose from 'worker', 'spark'" in capsys.readouterr().err


@pytest.mark.parametrize("key", [b"", b"base64:canary-key%%%", b"\xff\xfecanary-key", b"short-canary-key"])
def test_no_error_and_no_explanation_shows_a_key(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], key: bytes
) -> None:
    Path(files["key"]).write_bytes(key)
    for recipe in (
        STEPS,
        [*STEPS, step("FOO")],
        [*STEPS, step("ABSOLUTE", sourceColumn="email", targetColumn="n")],
    ):
        Path(files["recipe.json"]).write_text(json.dumps(recipe))
        main(["run", files["recipe.json"], files["in.csv"], files["out.csv"], "--key-file", files["key"]])
        main(["explain", files["recipe.json"], "--input", files["in.csv"]])
    told = capsys.readouterr()
    assert "canary-key" not in told.out + told.err
