"""Published vectors of identities, each as one test; the file is tests/cases/identities.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cleanrooms.identity import cases, conformance
from cleanrooms.identity.__main__ import main

FILE = Path(__file__).parents[1] / "cases" / "identities.yaml"
MORE = FILE.with_name("identities_more.yaml")
VECTORS = cases.load(FILE)


# Of identifiers, and right at their source; the others are about OpenPGP and files, or listed as known wrong.
OURS = [v for v in VECTORS if cases.run([v])[0].verdict not in ("elsewhere", "known wrong")]


@pytest.mark.parametrize("vector", OURS, ids=lambda v: v["id"])
def test_vector_comes_out_as_published(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("vector", cases.load(MORE), ids=lambda v: v["id"])
def test_edge_form_comes_out_as_its_page_or_we_say(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


def test_most_vectors_are_ours() -> None:
    assert len(OURS) >= 199


def test_every_known_wrong_vector_has_our_reading() -> None:
    assert all(cases.KNOWN_WRONG.values())
    assert set(cases.KNOWN_WRONG) <= {v["id"] for v in VECTORS}


def test_command_exits_with_0_when_no_vector_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", str(FILE)]) == 0
    assert "pass         must_not_emit" in capsys.readouterr().out


def test_command_exits_with_1_and_names_the_vector_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(
        "vectors:\n- {id: differs, dialect: plain, field: email, kind: valid, input: A@B.org, normalised: wrong}\n"
    )
    assert main(["cases", str(file)]) == 1
    assert "fail         differs" in capsys.readouterr().out


def test_command_exits_with_2_when_the_file_has_no_vectors(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text("something: else\n")
    assert main(["cases", str(file)]) == 2


def test_the_conformance_report_in_the_docs_is_current(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = FILE.parents[2]
    monkeypatch.chdir(root)
    assert main(["conformance", "tests/cases/identities.yaml"]) == 0
    written = (root / "docs" / "identity-conformance.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == written, "run the command that the file names, and commit its output"


def test_the_conformance_report_shows_a_dialect_that_fails_and_where() -> None:
    vectors = [
        {
            "id": "good",
            "dialect": "meta",
            "field": "email",
            "kind": "valid",
            "input": "A@b.co",
            "normalised": "a@b.co",
        },
        {
            "id": "bad",
            "dialect": "snap",
            "field": "email",
            "kind": "valid",
            "input": "A@b.co",
            "normalised": "A@b.co",
        },
    ]
    text = conformance.report(vectors, "some.yaml")
    assert "| meta@2 | pass | 1 of 1 |" in text
    assert "| snap@2 | **fail** | 0 of 1 |" in text
    assert "- `bad` (snap): became 'a@b.co', expected 'A@b.co'" in text


def test_the_conformance_report_gives_our_reading_of_what_is_wrong_at_its_source() -> None:
    text = conformance.report(VECTORS, "identities.yaml")
    assert all(f"| `{name}` |" in text and reading in text for name, reading in cases.KNOWN_WRONG.items())
