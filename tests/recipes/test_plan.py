"""Compiling and applying: schemas, metadata, identity, keys that stay hidden, batches in flight."""

from __future__ import annotations

import datetime
import json
import logging
import pickle
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from cleanrooms.errors import RecipeError
from cleanrooms.identity import METADATA, IdentityColumn
from cleanrooms.identity.hashing import digest_text
from cleanrooms.recipes import Recipe
from tests.recipes.helpers import CANARY, after, compiled, secret, step, table

PEOPLE = {
    "email": [" Ann@Ex.com ", "noemail@x.com", None, "bob@ex.com"],
    "phone": ["(408) 341-5669", "x", "", None],
    "age": ["30", "12.7", "x", None],
}
SIDECAR = [IdentityColumn("email", "email"), IdentityColumn("phone", "phone", region="US")]
EXAMPLE = [
    step("CRYPTOGRAPHIC_HASH", sourceColumns='["email","phone"]', secretId="arn:join"),
    step("RENAME", sourceColumn="email", targetColumn="email_key"),
    step("CHANGE_DATA_TYPE", sourceColumn="age", columnDataType="int"),
]


def hmac_of(text: str) -> str:
    return str(digest_text(text, "HMAC_SHA256", "base64", secret("arn:join")))


def test_identity_runs_before_the_recipe_and_null_stays_null() -> None:
    rows = after(PEOPLE, *EXAMPLE, identity=SIDECAR)
    assert rows["email_key"] == [hmac_of("ann@ex.com"), None, None, hmac_of("bob@ex.com")]
    assert rows["phone"] == [hmac_of("+14083415669"), None, None, None]
    assert rows["age"] == [30, None, None, None]


def test_reasons_are_counted_per_column_over_all_batches() -> None:
    batch = table(PEOPLE)
    plan = compiled(EXAMPLE, batch, identity=SIDECAR)
    plan.apply(batch)
    plan.apply(batch)
    assert plan.reasons == Counter(
        {"email:placeholder": 2, "email:missing": 2, "phone:missing": 4, "phone:malformed": 2}
    )


def test_hashed_columns_say_how_they_were_made() -> None:
    schema = compiled(EXAMPLE, table(PEOPLE), identity=SIDECAR).output_schema
    assert json.loads(schema.field("email_key").metadata[METADATA]) == {
        "identifier": "email",
        "dialect": "plain@1",
        "algorithm": "HMAC_SHA256",
        "encoding": "base64",
        "key_epoch": "version-of-arn:join",
    }
    assert schema.field("age").metadata is None


def test_metadata_without_a_sidecar_claims_no_dialect_and_without_a_key_no_epoch() -> None:
    plan = compiled(
        [step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', algorithm="SHA256")], table(PEOPLE)
    )
    facts = json.loads(plan.output_schema.field("email").metadata[METADATA])
    assert facts == {"algorithm": "SHA256", "encoding": "base64"}


def test_a_change_after_normalisation_ends_the_claim_of_a_dialect() -> None:
    steps = [step("UPPER_CASE", sourceColumn="email"), EXAMPLE[0]]
    schema = compiled(steps, table(PEOPLE), identity=SIDECAR).output_schema
    assert "dialect" not in json.loads(schema.field("email").metadata[METADATA])


def test_a_harmless_change_after_normalisation_keeps_it() -> None:
    trim = step("REMOVE_COMBINED", sourceColumn="email", removeLeadingAndTrailingWhitespace="true")
    steps = [trim, step("LOWER_CASE", sourceColumn="email"), EXAMPLE[0]]
    schema = compiled(steps, table(PEOPLE), identity=SIDECAR).output_schema
    assert json.loads(schema.field("email").metadata[METADATA])["dialect"] == "plain@1"


@pytest.mark.parametrize(
    ("encoding", "kind"), [("hex", pa.string()), ("base64", pa.string()), ("binary", pa.binary())]
)
def test_the_encoding_of_digests_is_chosen_outside_the_recipe(encoding: str, kind: pa.DataType) -> None:
    batch = table({"email": ["a@b.org"]})
    plan = compiled(
        [EXAMPLE[0] | step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', secretId="s")],
        batch,
        hash_encoding=encoding,
    )
    assert plan.output_schema.field("email").type == kind
    assert plan.apply(batch)["email"][0].as_py() == digest_text(
        "a@b.org", "HMAC_SHA256", encoding, secret("s")
    )


@pytest.mark.parametrize("nothing", [None, "", " ", "\t\u00a0\u200b"])
def test_nothing_is_never_digested(nothing: str | None) -> None:
    rows = after({"c": [nothing, "x"]}, step("CRYPTOGRAPHIC_HASH", sourceColumns='["c"]', algorithm="SHA256"))
    assert rows["c"][0] is None
    assert rows["c"][1] is not None


def test_columns_that_no_step_changes_keep_their_arrow_type() -> None:
    types = {
        "at": pa.timestamp("s", "UTC"), "price": pa.decimal128(10, 2), "name": pa.large_string(),
        "kind": pa.dictionary(pa.int32(), pa.string()), "day": pa.date32(),
    }  # fmt: skip
    batch = pa.RecordBatch.from_pylist(
        [{"at": None, "price": None, "name": "a", "kind": "k", "day": None}], pa.schema(types)
    )
    plan = compiled([step("DUPLICATE", sourceColumn="name", targetColumn="copy")], batch)
    assert plan.apply(batch).schema == plan.output_schema
    assert [plan.output_schema.field(n).type for n in types] == list(types.values())


def test_an_empty_batch_gives_an_empty_batch_of_the_same_schema() -> None:
    batch = table(PEOPLE)
    plan = compiled(EXAMPLE, batch, identity=SIDECAR)
    empty = plan.apply(batch.slice(0, 0))
    assert empty.num_rows == 0
    assert empty.schema == plan.output_schema


def test_batches_in_several_threads_give_what_one_thread_gives() -> None:
    batch = table(PEOPLE)
    plan = compiled(EXAMPLE, batch, identity=SIDECAR)
    expected = plan.apply(batch)
    with ThreadPoolExecutor(4) as pool:
        assert all(b.equals(expected) for b in pool.map(plan.apply, [batch] * 40))
    assert plan.reasons["email:missing"] == 41


def test_each_secret_is_asked_for_once_and_only_when_compiling() -> None:
    asked: list[str] = []
    batch = table(PEOPLE)
    twice = [
        step("CRYPTOGRAPHIC_HASH", sourceColumns=f'["{c}"]', secretId="arn:join") for c in ("email", "phone")
    ]
    plan = Recipe.parse(twice).compile(batch.schema, lambda name: asked.append(name) or secret(name))
    plan.apply(batch)
    assert asked == ["arn:join"]


def test_a_batch_of_other_columns_is_refused() -> None:
    plan = compiled(EXAMPLE, table(PEOPLE))
    with pytest.raises(RecipeError, match="other columns"):
        plan.apply(table({"email": ["a"]}))


def test_a_plan_shows_no_key_and_is_not_pickled(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    batch = table(PEOPLE)
    plan = compiled(EXAMPLE, batch, identity=SIDECAR)
    plan.apply(batch)
    shown = [repr(plan), str(plan), repr(plan.stages), repr(vars(plan)), str(plan.output_schema), caplog.text]
    assert not any(CANARY in text for text in shown)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(plan)


def test_a_failure_on_a_batch_tells_neither_values_nor_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(values: object, algorithm: str, encoding: str, key: object) -> None:
        raise ValueError(f"cannot hash {values} with {getattr(key, 'value', key)}")

    batch = table(PEOPLE)
    plan = compiled(EXAMPLE, batch)
    monkeypatch.setattr("cleanrooms.recipes.actions.pii.digest", broken)
    with pytest.raises(RecipeError, match=r"Step 1 \(CRYPTOGRAPHIC_HASH\) failed on a batch") as caught:
        plan.apply(batch)
    text = "".join(traceback.format_exception(caught.value))
    assert CANARY not in text
    assert "Ann@Ex.com" not in text


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([EXAMPLE[1], step("NO_SUCH", a="x")], r"Step 2 \(NO_SUCH\) is no action that is supported.*LOWER_CASE"),
        ([step("LOWER_CASE")], "lacks parameters: sourceColumn"),
        ([step("LOWER_CASE", sourceColumn="email", locale="en")], "not supported: locale.*takes sourceColumn"),
        ([step("LOWER_CASE", sourceColumn="nope")], "column 'nope'.*Columns at this step: email, phone, age"),
        ([step("RENAME", sourceColumn="email", targetColumn="age")], "would replace the column 'age'"),
        ([step("ENCRYPT", sourceColumns='["email"]')], "cannot run on the worker: .*only the service"),
        ([step("SENTENCE_CASE", sourceColumn="email")], "may give another result.*Set tolerant: true"),
        ([step("SORT", expressions='[{"sourceColumn": "age"}]')], "needs every row of the table at once"),
        ([step("MERGE", sourceColumns="email", targetColumn="m")], "sourceColumns that is no JSON"),
        ([step("REPLACE_TEXT", sourceColumn="email", pattern="(?=a)", value="b")], "special group"),
        ([step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]')], "needs the parameter secretId"),
        (
            [step("CRYPTOGRAPHIC_HASH", sourceColumns='["email"]', entityTypeFilter='["EMAIL"]', secretId="s")],
            "entityTypeFilter",
        ),
        ([step("REMOVE_VALUES", sourceColumn="email")], "removes rows by conditions"),
        (
            [step("REMOVE_VALUES", [{"Condition": "LIKE", "TargetColumn": "email", "Value": "x"}])],
            "unknown condition LIKE.*IS_MISSING",
        ),
        (
            [step("DELETE", [{"Condition": "IS_MISSING", "TargetColumn": "email"}], sourceColumn="age")],
            "takes no conditions",
        ),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_carried_out_is_refused_naming_it(
    steps: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        compiled(steps, table(PEOPLE))


def test_an_identity_column_that_is_absent_is_refused() -> None:
    with pytest.raises(RecipeError, match="identity column 'mail'"):
        compiled([], table(PEOPLE), identity=[IdentityColumn("mail", "email")])


def test_the_same_batch_always_gives_the_same_bytes() -> None:
    batch = table(PEOPLE | {"at": [datetime.datetime(2020, 1, 1)] * 4})
    plan = compiled(EXAMPLE, batch, identity=SIDECAR)
    assert plan.apply(batch).serialize() == plan.apply(batch).serialize()
