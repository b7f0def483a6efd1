"""Published vectors of identities, each as one test; the files are tests/cases/identities*.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cleanrooms.identity import cases, conformance, known_wrong
from cleanrooms.identity.__main__ import main

FILE = Path(__file__).parents[1] / "cases" / "identities.yaml"
MORE = FILE.with_name("identities_more.yaml")
PUBLISHED = FILE.with_name("identities_published.yaml")
VECTORS = cases.load(FILE)
GATHERED = cases.load(PUBLISHED)
REPORTED = ["tests/cases/identities.yaml", "tests/cases/identities_published.yaml"]
VECTOR = {"id": "v", "dialect": "meta", "field": "email", "kind": "valid", "input": "A@b.co"}


def ours(vectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of identifiers, and right at their source; the others are about OpenPGP and files, or known as wrong."""
    judged = zip(vectors, cases.run(vectors), strict=True)
    return [v for v, outcome in judged if outcome.verdict in ("pass", "fail")]


OURS = ours(VECTORS)


@pytest.mark.parametrize("vector", [*OURS, *ours(GATHERED)], ids=lambda v: v["id"])
def test_vector_comes_out_as_published(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("vector", cases.load(MORE), ids=lambda v: v["id"])
def test_edge_form_comes_out_as_its_page_or_we_say(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


def test_most_vectors_are_ours() -> None:
    assert len(OURS) >= 199
    assert len(ours(GATHERED)) >= 480


def test_every_vector_has_its_own_name() -> None:
    names = [v["id"] for v in [*VECTORS, *GATHERED, *cases.load(MORE)]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "known", known_wrong.KNOWN_WRONG, ids=lambda k: f"{k.dialect}-{k.identifier}-{k.published}"
)
def test_what_is_known_as_wrong_was_published_and_has_our_reading(known: known_wrong.KnownWrong) -> None:
    found = [v for v in [*VECTORS, *GATHERED] if known_wrong.known(v, cases.identifier(v["field"])) == known]
    assert known.reading
    assert known.input in [v["input"] for v in found]


def test_what_is_known_as_wrong_is_so_under_any_name_and_the_right_thing_is_judged() -> None:
    wrong = {"id": "copy", "dialect": "pinterest", "field": "ge", "kind": "valid", "input": "male"}
    copied, right, refused = cases.run(
        [
            wrong | {"normalised": "male"},
            wrong | {"normalised": "m"},
            {**VECTOR, "dialect": "liveramp", "field": "phone", "kind": "invalid", "input": ""},
        ]
    )
    assert (copied.verdict, right.verdict, refused.verdict) == ("known wrong", "pass", "pass")


def test_what_is_right_and_refused_on_purpose_is_not_called_wrong() -> None:
    navarra = {"id": "n", "dialect": "amazon_amc_es", "field": "state", "kind": "valid", "input": "Navarra"}
    (outcome,) = cases.run([navarra | {"normalised": "na"}])
    assert outcome.verdict == "refused on purpose"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"kind": None}, "has no kind"),
        ({"kind": "odd"}, "kind 'odd' is unknown here"),
        ({"dialect": "nobody"}, "dialect 'nobody' is unknown here"),
        ({"field": "shoe_size"}, "Dialect meta@2 has no identifier 'shoe_size'"),
        ({"input": ["a"]}, "input is no text"),
        ({"input": 1.5}, "input is no text"),
        ({"alg": "crc32"}, "alg 'crc32' is unknown here"),
        ({"encoding": "roman"}, "encoding 'roman' is unknown here"),
        ({"kind": "must_not_emit"}, "has no expected digest"),
        ({"note": "default region XX"}, "region 'XX' is unknown"),
        ({"kind": "invalid"}, "was not refused: became 'a@b.co'"),
        ({"dialect": "hkdf_sha256"}, "input lacks ikm, salt, info or length"),
        ({"dialect": "c3r_fingerprint", "field": "typed", "input": "bigint x"}, "cannot be read"),
        ({"dialect": "c3r_fingerprint", "field": "typed", "input": "decimal 1"}, "has no fingerprint"),
        ({"dialect": "c3r_fingerprint", "field": "typed", "kind": "invalid", "input": "date"}, "was not refused"),
        ({"dialect": "databrew", "field": "MASK_ODD"}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_vector_that_cannot_be_run_or_differs_says_why(changes: dict[str, Any], detail: str) -> None:
    (outcome,) = cases.run([VECTOR | changes])
    assert outcome.verdict == "fail"
    assert detail in outcome.detail


def test_a_vector_without_input_is_named_and_one_of_null_is_refused() -> None:
    lacking, of_null = cases.run(
        [{k: v for k, v in VECTOR.items() if k != "input"}, VECTOR | {"input": None, "kind": "invalid"}]
    )
    assert (lacking.verdict, lacking.detail) == ("fail", "has no input")
    assert of_null.verdict == "pass"


def test_numbers_and_halves_of_characters_are_read_as_text() -> None:
    vectors = [
        VECTOR | {"field": "zip", "input": 94102, "normalised": "94102"},
        VECTOR | {"input": "\ud83d\ude0aA@b.co", "normalised": "😊a@b.co"},
        VECTOR | {"input": "\ud83dA@b.co", "kind": "invalid"},
    ]
    assert [o.detail for o in cases.run(vectors)] == ["", "", ""]


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
    assert main(["cases", str(FILE), str(file)]) == 1
    assert "fail         differs" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["something: else\n", "vectors: [a text]\n", "{vectors: [\n", "- list\n"])
def test_command_exits_with_2_when_the_file_has_no_vectors(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    assert main(["cases", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_the_conformance_report_in_the_docs_is_current(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = FILE.parents[2]
    monkeypatch.chdir(root)
    assert main(["conformance", *REPORTED]) == 0
    written = (root / "docs" / "identity-conformance.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == written, "run the command that the file names, and commit its output"


def test_the_conformance_report_shows_a_dialect_that_fails_and_where() -> None:
    good = VECTOR | {"id": "good", "normalised": "a@b.co"}
    bad = VECTOR | {"id": "bad", "dialect": "snap", "normalised": "A@b.co"}
    text = conformance.report(cases.run([good, bad]), "some.yaml")
    assert "| meta@2 | pass | 1 of 1 |" in text
    assert "| snap@2 | **fail** | 0 of 1 |" in text
    assert "- `bad` (snap): became 'a@b.co', expected 'A@b.co'" in text


def test_the_conformance_report_gives_our_reading_of_what_ours_does_not_follow() -> None:
    text = conformance.report(cases.run([*VECTORS, *GATHERED]), "identities.yaml")
    assert all(f"| {known.reading} |" in text for known in known_wrong.KNOWN_WRONG)
