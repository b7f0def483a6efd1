"""Columns that no step touches go past the steps, and the table is the same as if they had not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.errors import CleanRoomsError
from cleanrooms.identity import IdentityColumn
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.cases import load, on_worker, secret, steps_of, table
from cleanrooms.recipes.frames import to_batch, to_frame
from cleanrooms.recipes.plan import Plan

CASES = Path(__file__).parents[1] / "cases"
VECTORS = [
    v for name in ("recipes.yaml", "recipes_more.yaml", "recipes_pages.yaml") for v in load(CASES / name)
]
PEOPLE = pa.RecordBatch.from_pydict(
    {
        "id": pa.array([1, 2, 3, 4], pa.int32()),
        "email": [" Ann@Example.com", "x", None, "dee@example.com"],
        "city": ["Ulm", "Bonn", None, "Köln"],
        "spend": pa.array([None, "1.50", "2.00", "3.25"]).cast(pa.decimal128(9, 2)),
    }
)


def step(operation: str, conditions: list[dict[str, str]] | None = None, **parameters: str) -> dict[str, Any]:
    made: dict[str, Any] = {"Action": {"Operation": operation, "Parameters": parameters}}
    return {**made, "ConditionExpressions": conditions} if conditions else made


def compiled(*steps: dict[str, Any], identity: tuple[IdentityColumn, ...] = ()) -> Plan:
    return Recipe.parse(list(steps)).compile(PEOPLE.schema, secret, identity=identity)


def on_all_columns(plan: Plan, batch: pa.RecordBatch) -> pa.RecordBatch:
    return to_batch(plan.run(plan.normalised(to_frame(batch))), plan.output_schema)


def address(values: pa.Array) -> int:
    return int(values.buffers()[-1].address)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["id"]))
def test_every_vector_comes_out_the_same_beside_other_columns(vector: dict[str, Any]) -> None:
    rows = table(vector["input"]["columns"], vector["input"]["rows"])
    beside = {
        "beside 1": pa.array([f"b{n}" for n in range(rows.num_rows)], pa.string()),
        "beside 2": pa.array(range(rows.num_rows), pa.int16()),
    }
    wide = pa.RecordBatch.from_arrays(
        [beside["beside 1"], *rows.columns, beside["beside 2"]], ["beside 1", *rows.schema.names, "beside 2"]
    )
    recipe = Recipe.parse(steps_of(vector))
    (alone,) = on_worker([(recipe, rows)])
    if isinstance(alone, CleanRoomsError):
        with pytest.raises(CleanRoomsError):
            recipe.compile(wide.schema, secret, tolerant=True, whole_table=wide)
        return
    plan = recipe.compile(wide.schema, secret, tolerant=True, whole_table=wide)
    assert plan.apply(wide).equals(on_all_columns(plan, wide), check_metadata=True)


def test_an_untouched_column_is_not_even_copied() -> None:
    after = compiled(step("UPPER_CASE", sourceColumn="email")).apply(PEOPLE)
    for name in ("id", "city", "spend"):
        assert address(after.column(name)) == address(PEOPLE.column(name))
    assert after.column("email").to_pylist() == [" ANN@EXAMPLE.COM", "X", None, "DEE@EXAMPLE.COM"]


def test_untouched_columns_lose_the_rows_that_a_step_removes() -> None:
    gone = [{"Condition": "IS", "Value": '["x"]', "TargetColumn": "email"}]
    after = compiled(step("REMOVE_VALUES", gone, sourceColumn="email")).apply(PEOPLE)
    assert after.column("id").to_pylist() == [1, 3, 4]
    assert after.column("city").to_pylist() == ["Ulm", None, "Köln"]


def test_a_column_that_only_a_condition_reads_is_read_and_left_alone() -> None:
    where = [{"Condition": "IS", "Value": '["Bonn"]', "TargetColumn": "city"}]
    after = compiled(step("UPPER_CASE", where, sourceColumn="email")).apply(PEOPLE)
    assert after.column("email").to_pylist() == [" Ann@Example.com", "X", None, "dee@example.com"]
    assert address(after.column("city")) == address(PEOPLE.column("city"))


def test_a_new_column_under_a_renamed_ones_old_name_is_another_column() -> None:
    plan = compiled(
        step("RENAME", sourceColumn="city", targetColumn="town"),
        step("DUPLICATE", sourceColumn="email", targetColumn="city"),
    )
    after = plan.apply(PEOPLE)
    assert after.column("town").equals(PEOPLE.column("city"))
    assert after.column("city").equals(PEOPLE.column("email"))


def test_a_recipe_that_reads_nothing_still_has_all_rows() -> None:
    after = compiled(step("DELETE", sourceColumn="email")).apply(PEOPLE)
    assert after.equals(PEOPLE.select(["id", "city", "spend"]))


def test_identity_columns_are_brought_to_their_form_and_the_rest_is_left_alone() -> None:
    plan = compiled(identity=(IdentityColumn("email", "email"),))
    after = plan.apply(PEOPLE)
    assert after.column("email").to_pylist() == ["ann@example.com", None, None, "dee@example.com"]
    assert address(after.column("city")) == address(PEOPLE.column("city"))


def test_a_batch_without_rows_keeps_its_columns() -> None:
    plan = compiled(step("UPPER_CASE", sourceColumn="email"))
    assert plan.apply(PEOPLE[:0]).equals(PEOPLE[:0])
