"""Recipe files: what is read, what is brought to the strict form, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from cleanrooms.errors import RecipeError
from cleanrooms.recipes import Recipe

LOWER = {"Action": {"Operation": "LOWER_CASE", "Parameters": {"sourceColumn": "a"}}}
REMOVE = {
    "Action": {"Operation": "REMOVE_VALUES", "Parameters": {"sourceColumn": "n"}},
    "ConditionExpressions": [{"Condition": "LESS_THAN", "Value": "5", "TargetColumn": "n"}],
}


def test_a_bare_list_and_the_create_recipe_shape_are_the_same_recipe() -> None:
    bare = Recipe.parse([LOWER, REMOVE])
    shaped = Recipe.parse({"Name": "r", "Description": "d", "Steps": [LOWER, REMOVE]})
    assert bare.steps == shaped.steps
    assert (shaped.name, shaped.description) == ("r", "d")


@pytest.mark.parametrize(
    "step",
    [
        {"RecipeStep": LOWER},
        {"RecipeAction": LOWER["Action"]},
        {"Operation": "LOWER_CASE", "Parameters": {"sourceColumn": "a"}},
    ],
)
def test_wrappers_of_the_guides_pages_are_taken_off(step: dict[str, Any]) -> None:
    assert Recipe.parse([step]).dump() == [LOWER]


def test_typed_parameters_become_texts() -> None:
    step = {"Action": {"Operation": "X", "Parameters": {"a": 5, "b": True, "c": ["x", "ü"], "d": "t"}}}
    assert dict(Recipe.parse([step]).steps[0].parameters) == {
        "a": "5",
        "b": "true",
        "c": '["x","ü"]',
        "d": "t",
    }


def test_a_dump_is_accepted_by_create_recipes_validator() -> None:
    typed = {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumns": ["a", "b"]}}}
    dumped = Recipe.parse([LOWER, {"RecipeStep": REMOVE}, typed]).dump()
    shape = Session().get_service_model("databrew").operation_model("CreateRecipe").input_shape
    report = ParamValidator().validate({"Name": "r", "Steps": dumped}, shape)
    assert not report.has_errors(), report.generate_report()


def test_a_dump_reads_back_as_the_same_recipe() -> None:
    recipe = Recipe.parse([LOWER, REMOVE])
    assert Recipe.parse(recipe.dump()) == recipe


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_files_of_the_console_are_loaded(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"recipe{suffix}"
    file.write_text(
        "\ufeff" + json.dumps([LOWER]) if suffix == ".json" else json.dumps([LOWER]), encoding="utf-8"
    )
    assert Recipe.load(file).dump() == [LOWER]


def test_an_empty_list_is_a_recipe() -> None:
    assert Recipe.parse([]).steps == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"Name": "r"}, "no list of steps"),
        ("text", "no list of steps"),
        ([LOWER] * 101, "101 steps"),
        ([LOWER, {"Nothing": 1}], "Step 2 has no Action"),
        ([{"Action": {"Operation": "lower"}}], "Step 1 has no Operation"),
        ([LOWER | {"Comment": "x"}], r"Step 1 \(LOWER_CASE\) has unknown entries in its step: Comment"),
        ([{"Action": {"Operation": "X", "Note": "x"}}], "unknown entries in its action: Note"),
        ([{"Action": {"Operation": "X", "Parameters": {"a b": "x"}}}], "parameter named 'a b'"),
        ([{"Action": {"Operation": "X", "Parameters": {"a": ""}}}], "empty or too long value for a"),
        (
            [{"Action": {"Operation": "X", "Parameters": {"a": "x" * 32_769}}}],
            "empty or too long value for a",
        ),
        ([LOWER | {"ConditionExpressions": [{"Condition": "IS"}]}], "without TargetColumn"),
        (
            [
                LOWER
                | {"ConditionExpressions": [{"Condition": "IS", "TargetColumn": "a", "Value": "x" * 1025}]}
            ],
            "Value of 1025 characters",
        ),
    ],
)
def test_what_is_no_recipe_is_refused_naming_the_step(data: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe.parse(data)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("[")
    with pytest.raises(RecipeError, match=r"broken\.json cannot be read"):
        Recipe.load(file)
