"""Two epochs of one key: the recipe knows one column, the table gets two."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa
import pytest

from cleanrooms.errors import RecipeError
from cleanrooms.identity import SecretKey
from cleanrooms.identity.hashing import digest_text
from cleanrooms.recipes.plan import Plan
from tests.recipes.helpers import IdentityColumn, compiled, step, table

OLD, NEW = SecretKey(b"old-key-canary", "v1", "2026"), SecretKey(b"new-key-canary", "v2", "2027")
HASH = step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', secretId="k")
RENAME = step("RENAME", sourceColumn="email", targetColumn="email_key")
BATCH = table({"id": [1, 2], "email": ["a@b.co", None]})


def rotated(*steps: dict[str, object], batch: pa.RecordBatch = BATCH, **options: object) -> Plan:
    from cleanrooms.recipes import Recipe

    return Recipe.parse(list(steps)).compile(
        batch.schema, lambda name: OLD, other_key=lambda name: ("next", NEW), **options
    )  # type: ignore[arg-type]


def old(text: str) -> str:
    return digest_text(text, "HMAC_SHA256", "base64", OLD)


def new(text: str) -> str:
    return digest_text(text, "HMAC_SHA256", "base64", NEW)


def test_both_epochs_stand_beside_each_other_under_the_columns_last_name() -> None:
    plan = rotated(HASH, RENAME)
    assert plan.apply(BATCH).to_pydict() == {
        "id": [1, 2], "email_key": [old("a@b.co"), None], "email_key_next": [new("a@b.co"), None],
    }  # fmt: skip
    assert plan.output_schema.names == ["id", "email_key", "email_key_next"]


def test_each_columns_metadata_carries_its_epoch() -> None:
    schema = rotated(HASH, RENAME, identity=[IdentityColumn("email", "email")]).output_schema
    told = [
        json.loads(schema.field(n).metadata[b"cleanrooms.identity"]) for n in ("email_key", "email_key_next")
    ]
    assert [(t["epoch"], t["key_epoch"], t["dialect"]) for t in told] == [
        ("2026", "v1", "plain@1"), ("2027", "v2", "plain@1"),
    ]  # fmt: skip


def test_without_a_rotation_a_plan_is_as_it_was() -> None:
    assert compiled([HASH, RENAME], BATCH).output_schema.names == ["id", "email_key"]


def test_other_steps_move_the_second_digest_with_its_column() -> None:
    batch = table({"id": [1, 2, 3], "email": ["a@b.co", None, "c@d.co"]})
    steps = [
        HASH,
        step("MOVE_TO_START", sourceColumn="email"),
        step("DUPLICATE", sourceColumn="email", targetColumn="again"),
        RENAME,
        step("REMOVE_MISSING", sourceColumn="email_key"),
        step("SORT", expressions='[{"sourceColumn":"id","ordering":"DESCENDING"}]'),
    ]
    found = rotated(*steps, batch=batch, whole_table=True).apply(batch).to_pydict()
    assert list(found) == ["email_key", "id", "again", "email_key_next", "again_next"]
    assert found["email_key_next"] == found["again_next"] == [new("c@d.co"), new("a@b.co")]


def test_a_column_that_is_dropped_takes_its_second_digest_along() -> None:
    assert rotated(HASH, step("DELETE", sourceColumn="email")).output_schema.names == ["id"]


def test_a_condition_holds_for_both_digests() -> None:
    batch = table({"id": [1, 2], "email": ["a@b.co", "c@d.co"]})
    hashed = {**HASH, "ConditionExpressions": [{"Condition": "IS", "TargetColumn": "id", "Value": "[1]"}]}
    found = rotated(hashed, batch=batch).apply(batch).to_pydict()
    assert found["email_next"] == [new("a@b.co"), None]


def test_rows_that_are_unnested_keep_their_second_digest() -> None:
    batch = table({"email": ["a@b.co"], "tags": [["x", "y"]]})
    plan = rotated(HASH, step("UNNEST_ARRAY", sourceColumn="tags", targetColumn="tags"), batch=batch)
    assert plan.apply(batch).to_pydict()["email_next"] == [new("a@b.co")] * 2


def test_a_step_that_would_lose_the_second_digest_is_refused() -> None:
    grouped = step(
        "GROUP_BY", sourceColumns='["email"]', useNewDataFrame="true",
        groupByAggFunctionOptions='[{"sourceColumnName":"id","targetColumnName":"n","functionName":"COUNT"}]',
    )  # fmt: skip
    with pytest.raises(RecipeError, match=r"Step 2 \(GROUP_BY\) .* would lose the keys of the other epoch"):
        rotated(HASH, grouped, whole_table=True)


def test_a_step_that_changes_a_rotated_digest_is_refused() -> None:
    with pytest.raises(RecipeError, match="a digest that has another epoch's beside it"):
        rotated(HASH, step("LOWER_CASE", sourceColumn="email"))


def test_a_column_with_the_second_digests_name_is_refused() -> None:
    with pytest.raises(RecipeError, match="leaves a column 'email_next'"):
        rotated(HASH, step("RENAME", sourceColumn="id", targetColumn="email_next"))


def test_an_empty_batch_has_both_columns() -> None:
    assert rotated(HASH, RENAME).apply(BATCH.slice(0, 0)).schema.names == [
        "id",
        "email_key",
        "email_key_next",
    ]


def test_no_key_shows_in_a_plan() -> None:
    plan = rotated(HASH, RENAME)
    assert "canary" not in f"{plan!r} {plan.stages} {plan.output_schema} {pl.DataFrame(plan.apply(BATCH))}"
