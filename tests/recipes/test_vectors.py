"""Published vectors of recipes, each as one test; the file is tests/cases/recipes.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cleanrooms.errors import RecipeError
from cleanrooms.recipes import Recipe, cases
from cleanrooms.recipes.__main__ import main

FILE = Path(__file__).parents[1] / "cases" / "recipes.yaml"
OURS = FILE.with_name("recipes_more.yaml")
VECTORS = cases.load(FILE)
OUR_VECTORS = cases.load(OURS)
PAGE_VECTORS = cases.load(FILE.with_name("recipes_pages.yaml"))
HASHES = cases.load_hashes(FILE)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["fidelity"] == "exact"], ids=lambda v: v["id"])
def test_exact_vector_comes_out_as_published(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["fidelity"] != "exact"], ids=lambda v: v["id"])
def test_other_vector_comes_out_as_published_or_as_decided(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass" or vector["id"] in cases.DECISIONS, outcome.detail


@pytest.mark.parametrize("vector", OUR_VECTORS, ids=lambda v: v["id"])
def test_our_reading_of_a_page_comes_out(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("vector", PAGE_VECTORS, ids=lambda v: v["id"])
def test_a_page_comes_out_as_it_says_or_as_we_decided(vector: dict[str, Any]) -> None:
    (outcome,) = cases.run([vector])
    assert outcome.verdict == "pass", outcome.detail
    assert vector["fidelity"] == "exact" or vector["note"].startswith("decision: ")


def row_by_row(vector: dict[str, Any]) -> bool:
    """Whether each row of the vector comes out the same alone."""
    before, after = vector["input"]["rows"], vector["expected"]["rows"]
    try:
        names = vector["input"]["columns"]
        recipe = Recipe.parse(cases.steps_of(vector))
        recipe.compile(cases.table(names, before).schema, cases.secret, tolerant=True)
    except RecipeError:
        return False
    return len(before) == len(after) > 1


def test_rows_of_pages_come_out_alone_as_beside_others() -> None:
    alone = [
        vector
        | {
            "input": vector["input"] | {"rows": [before]},
            "expected": vector["expected"] | {"rows": [after]},
        }
        for vector in filter(row_by_row, PAGE_VECTORS)
        for before, after in zip(vector["input"]["rows"], vector["expected"]["rows"], strict=True)
    ]
    assert len(alone) > 500
    assert [(o.id, o.detail) for o in cases.run(alone) if o.verdict != "pass"] == []


def test_every_decision_is_in_the_docs() -> None:
    told = (FILE.parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert [name for name in cases.DECISIONS if f"`{name}`" not in told] == []


@pytest.mark.parametrize("vector", HASHES, ids=lambda v: v["id"])
def test_hash_vector_comes_out_as_published(vector: dict[str, str]) -> None:
    (outcome,) = cases.run_hashes([vector])
    assert outcome.verdict == "pass", outcome.detail
    (other,) = cases.run_hashes([vector | {"text": "another"}])
    assert other.failed


def test_command_exits_with_0_when_no_exact_vector_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", str(FILE)]) == 0
    assert "exact      pass" in capsys.readouterr().out


def test_command_exits_with_1_when_an_exact_vector_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(
        "vectors:\n- {id: wrong, operation: LOWER_CASE, parameters: {sourceColumn: a}, fidelity: exact,\n"
        "   input: {columns: [a], rows: [[X]]}, expected: {columns: [a], rows: [[X]]}}\n"
    )
    assert main(["cases", str(file)]) == 1
    assert "FAIL       exact      wrong" in capsys.readouterr().out


def test_a_vector_of_mixed_cells_or_without_parameters_is_run_like_others() -> None:
    mixed = {
        "id": "mixed", "operation": "TO_NUMBER_COLUMN", "parameters": {"sourceColumn": "a"}, "fidelity": "exact",
        "input": {"columns": ["a"], "rows": [[1], ["x"], [None]]},
        "expected": {"columns": ["a"], "rows": [[1], [None], [None]]},
    }  # fmt: skip
    bare = {
        "id": "bare", "operation": "DELETE_DUPLICATE_ROWS", "fidelity": "exact",
        "input": {"columns": ["a"], "rows": [[1], [1]]}, "expected": {"columns": ["a"], "rows": [[1]]},
    }  # fmt: skip
    assert [o.verdict for o in cases.run([mixed, bare])] == ["pass", "pass"]
