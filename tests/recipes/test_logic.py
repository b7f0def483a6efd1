"""What is refused in CASE_OPERATION and BOOLEAN_OPERATION, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanrooms.errors import RecipeError
from cleanrooms.recipes import Recipe, catalogue
from tests.recipes.helpers import after, compiled, step, table
from tests.recipes.test_vectors import OUR_VECTORS

TABLE = {"age": [7, 20], "city": ["Ulm", None]}


def case(expression: str, **parameters: str) -> dict[str, list[object]]:
    return after(TABLE, step("CASE_OPERATION", valueExpression=expression, targetColumn="c", **parameters))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("case when `age` < then 1 end", "a value is missing before 'then'"),
        ("case when `age` < 3 then 1", "'end' is missing"),
        ("case when `age < 3 then 1 end", "a backtick is not closed"),
        ("case `age` when 1 then 2 end", "'when' is missing"),
        ("case when `age` < 3 then 1 end end", "one too many"),
        ("case when `aeg` < 3 then 1 end", "names 'aeg' in valueExpression, a column that does not exist"),
        ("case when `age` < `:x` then 1 end", "an aggregate that does not exist"),
        ("case when `city` < 3 then 1 end", "compares String with Int64"),
        ("case when soundsLike(`city`, 'x') then 1 end", "the function soundslike is not known"),
        ("case when contains(`age`, 'x') then 1 end", "tests text, but is given a column of type Int64"),
        ("case when matches(`city`, '(?=x)') then 1 end", "a special group"),
        ("case when isValid(`city`, colour) then 1 end", "isValid is not given one of"),
        ("case when `age` then 1 end", "a comparison is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_step(expression: str, message: str) -> None:
    with pytest.raises(RecipeError) as error:
        case(expression)
    assert message in str(error.value)
    assert "Step 1 (CASE_OPERATION)" in str(error.value)


def test_words_and_functions_are_read_in_any_case() -> None:
    assert case("CASE WHEN ISMISSING(`city`) THEN 'none' ELSE `city` END")["c"] == ["Ulm", "none"]


def test_a_case_may_stand_in_a_case() -> None:
    found = case("case when `age` < 18 then case when `age` < 10 then 'a' else 'b' end else 'c' end")
    assert found["c"] == ["a", "c"]


def test_quotes_inside_a_text_are_doubled_or_escaped() -> None:
    assert case(r"case when `age` = 7 then 'it''s' else 'it\'s' end")["c"] == ["it's", "it's"]


def test_an_aggregate_needs_the_whole_table() -> None:
    given = '[{"name":"m","value":"max(`age`)","type":"aggregate"}]'
    with pytest.raises(RecipeError, match="needs every row"):
        case("case when `age` = `:m` then 1 end", withExpressions=given)


def test_an_unknown_aggregate_is_refused_naming_the_known_ones() -> None:
    given = '[{"name":"m","value":"percentile(`age`)","type":"aggregate"}]'
    with pytest.raises(RecipeError, match="standard_error_of_mean"):
        case("case when `age` = `:m` then 1 end", withExpressions=given)


def test_columns_that_depend_on_values_are_refused_in_a_published_table() -> None:
    batch = table({"s": ["a", "b"]})
    with pytest.raises(RecipeError, match="columns that depend on the values"):
        compiled([step("ONE_HOT_ENCODING", sourceColumn="s")], batch, tolerant=True, whole_table=True)


def test_one_hot_encoding_of_too_many_values_is_refused() -> None:
    batch = table({"s": [str(n) for n in range(11)]})
    with pytest.raises(RecipeError, match="finds 11 values"):
        compiled([step("ONE_HOT_ENCODING", sourceColumn="s")], batch, tolerant=True, whole_table=batch)


def test_a_digest_keeps_its_facts_beside_unnested_rows() -> None:
    batch = table({"email": ["a@b.c"], "tags": [["x", "y"]]})
    steps = [
        step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', secretId="k"),
        step("UNNEST_ARRAY", sourceColumn="tags", targetColumn="tags"),
    ]
    plan = compiled(steps, batch)
    assert b"cleanrooms.identity" in plan.output_schema.field("email").metadata
    assert plan.apply(batch).num_rows == 2


def test_steps_of_glue_studio_and_of_the_guides_yaml_are_read() -> None:
    plain = Recipe.parse([step("LOWER_CASE", sourceColumn="a")])
    assert Recipe.parse({"RecipeSteps": plain.dump()}).steps == plain.steps
    yaml = [{"Action": None, "Operation": "LOWER_CASE", "Parameters": {"sourceColumn": "a", "other": None}}]
    assert Recipe.parse(yaml).steps == plain.steps


@pytest.mark.parametrize("vector", OUR_VECTORS, ids=lambda v: v["id"])
def test_a_vectors_step_is_accepted_by_create_recipes_validator(vector: dict[str, object]) -> None:
    import boto3
    from botocore.validate import validate_parameters

    action = {"Operation": vector["operation"], "Parameters": vector["parameters"]}
    steps = Recipe.parse([{"Action": action}]).dump()
    model = boto3.client("databrew", region_name="us-east-1").meta.service_model.operation_model(
        "CreateRecipe"
    )
    validate_parameters({"Name": "r", "Steps": steps}, model.input_shape)


def test_the_catalogue_in_docs_is_current() -> None:
    written = Path(__file__).parents[2] / "docs" / "recipe-actions.md"
    assert written.read_text(encoding="utf-8") == catalogue.markdown(), (
        "run python -m cleanrooms.recipes.catalogue > docs/recipe-actions.md"
    )


def test_nested_columns_have_arrows_everyday_types() -> None:
    batch = table({"a": ["x"], "n": [1]})
    nest = {"sourceColumns": '["a","n"]', "removeSourceColumns": "false"}
    steps = [
        step("NEST_TO_ARRAY", targetColumn="list", **nest),
        step("NEST_TO_MAP", targetColumn="map", **nest),
        step("NEST_TO_STRUCT", targetColumn="struct", **nest),
    ]
    plan = compiled(steps, batch)
    assert [str(plan.output_schema.field(n).type) for n in ("list", "map", "struct")] == [
        "list<item: string>", "map<string, string>", "struct<a: string, n: int64>",
    ]  # fmt: skip
    assert plan.apply(batch).to_pylist()[0]["struct"] == {"a": "x", "n": 1}
