"""Published vectors of identities, each as one test; the file is tests/cases/identities.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cleanrooms.identity import cases
from cleanrooms.identity.__main__ import main

FILE = Path(__file__).parents[1] / "cases" / "identities.yaml"
VECTORS = cases.load(FILE)


# Of identifiers, and right at their source; the others are about OpenPGP and files, or listed as known wrong.
OURS = [v for v in VECTORS if cases.run([v])[0].verdict not in ("elsewhere", "known wrong")]


@pytest.mark.parametrize("vector", OURS, ids=lambda v: v["id"])
def test_vector_comes_out_as_published(vector: dict[str, Any]) -> None:
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
