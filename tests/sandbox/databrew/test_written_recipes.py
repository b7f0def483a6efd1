"""Recipes that we write back are recipes for boto3's validator and for the local DataBrew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.errors import RecipeError
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.actions import ACTIONS
from sandbox.model_limits import problems
from tests.sandbox.databrew.kit import Brewery

VECTORS = yaml.safe_load((Path(__file__).parents[2] / "cases" / "recipes.yaml").read_text())["vectors"]
SHAPE = (
    botocore.session.get_session().get_service_model("databrew").operation_model("CreateRecipe").input_shape
)


def _recipe(vector: dict[str, Any]) -> Recipe:
    step: dict[str, Any] = {"Action": {"Operation": vector["operation"], "Parameters": vector["parameters"]}}
    if vector.get("condition_expressions"):
        step["ConditionExpressions"] = vector["condition_expressions"]
    return Recipe.parse([step])


def _accepted_by_boto3(steps: list[dict[str, Any]]) -> None:
    request = {"Name": "r", "Steps": steps}
    report = ParamValidator().validate(request, SHAPE)
    assert not report.has_errors(), report.generate_report()
    # boto3 checks neither patterns nor maximum lengths; the service does.
    assert problems(request, SHAPE) == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_boto3_accepts_every_vector_written_back(vector: dict[str, Any]) -> None:
    recipe = _recipe(vector)
    _accepted_by_boto3(recipe.dump())
    assert Recipe.parse(recipe.dump()) == recipe


def test_the_local_databrew_accepts_every_vector_and_gives_it_back(brewery: Brewery) -> None:
    by_operation: dict[str, list[dict[str, Any]]] = {}
    for vector in VECTORS:
        by_operation.setdefault(vector["operation"], []).extend(_recipe(vector).dump())
    brewery.client.create_recipe(Name=brewery.name, Steps=[VECTOR_FREE])
    for steps in by_operation.values():
        for start in range(0, len(steps), 100):
            part = steps[start : start + 100]
            brewery.client.update_recipe(Name=brewery.name, Steps=part)
            found = brewery.client.describe_recipe(Name=brewery.name, RecipeVersion="LATEST_WORKING")
            assert Recipe.parse(found["Steps"]) == Recipe.parse(part)


VECTOR_FREE = {"Action": {"Operation": "DELETE_DUPLICATE_ROWS"}}

_value = st.one_of(
    st.text(max_size=20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
_step = st.fixed_dictionaries(
    {
        "Action": st.fixed_dictionaries(
            {"Operation": st.sampled_from(sorted(ACTIONS))},
            optional={"Parameters": st.dictionaries(st.text(max_size=8), _value, max_size=4)},
        )
    },
    optional={
        "ConditionExpressions": st.lists(
            st.fixed_dictionaries(
                {"Condition": st.sampled_from(["IS", "IS_MISSING", "CONTAINS", "lower"])},
                optional={"TargetColumn": st.text(max_size=1100), "Value": _value},
            ),
            max_size=3,
        )
    },
)


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(_step, max_size=4))
def test_whatever_is_read_is_either_refused_or_written_back_as_boto3_wants_it(
    steps: list[dict[str, Any]],
) -> None:
    try:
        recipe = Recipe.parse(steps)
    except RecipeError:
        return
    _accepted_by_boto3(recipe.dump())
    assert Recipe.parse(recipe.dump()) == recipe
