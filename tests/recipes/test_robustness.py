"""Whatever a recipe file says, it is a recipe or a clear error that names the step; never a traceback."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from cleanrooms.errors import CleanRoomsError, RecipeError
from cleanrooms.recipes import Recipe, cases
from cleanrooms.recipes.actions import ACTIONS
from cleanrooms.recipes.conditions import CONDITIONS
from tests.recipes.helpers import step
from tests.recipes.test_vectors import OUR_VECTORS, PAGE_VECTORS

ATOMS: list[Any] = [
    None, True, 0, 1.5, float("nan"), 10**30, "", "x", "LOWER_CASE", "a", "[]", {}, [], "\0", "é" * 3,
    dt.date(2020, 1, 1), b"x", (1, 2), {1}, "A" * 200,
]  # fmt: skip
KEYS: list[Any] = [
    "Action", "Operation", "Parameters", "ConditionExpressions", "Condition", "TargetColumn", "Value",
    "sourceColumn", "value", "RecipeStep", "RecipeAction", "Steps", "RecipeSteps", "Name", 5, None, "x y",
]  # fmt: skip
VALUES: list[Any] = [
    "", "1", "0", "-1", "2", "1e400", "NaN", "10" * 20, "true", "[]", "{}", "null", '["zz"]', "[1]", "(", "*",
    '{"pattern":","}', '[{"pattern":"("}]', "\\", "$1", "a{1,99999}", ".*", "\0", "😀", "DAYS", "MAXIMUM", "NONE",
    "AVERAGE", "number", "int", "date", "timestamp", "E164", "US", "UTC", "UTC+99:00", "../etc", "yyyy-mm-dd",
    ".", "IQR", "SUM", "SHA256", '["YEAR"]', '["SYMBOLS"]', "`a` > 1", "case when `a` = 'x' then 1 end", "`s`.`x`",
    "`l`[0]", "[" * 3000, '{"a":' * 3000, "(" * 500 + "`n` > 1", True, 1, 1.5, None, [1, 2], ["a"], {"a": 1},
    "x" * 40_000, '[{"sourceColumn":"a","ordering":"ASCENDING","nullsOrdering":"NULLS_TOP"}]',
    '{"year":{"value":"2020"},"month":{"sourceColumn":"n"},"day":{}}', '["-Infinity","2","Infinity"]',
]  # fmt: skip
TABLE = pa.RecordBatch.from_pydict(
    {
        "a": ["x", "<b>c", "2020-01-02", None, ""],
        "n": [1, -5, None, 2**62, 0],
        "f": [0.5, float("nan"), float("inf"), None, -1.5],
        "b": [True, None, False, True, False],
        "d": [dt.date(2020, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1)],
        "s": [{"x": 1, "y": "z"}] * 4 + [None],
        "l": [[1, 2], [], None, [None], [3]],
        "z": pa.nulls(5),
        "k": [b"a"] * 5,
        "m": [Decimal("1.50"), None, Decimal("-3.25"), Decimal("0.00"), Decimal("7.00")],
        "a.b": ["1", "2", "x", None, "y"],
    }
)
CREATE = Session().get_service_model("databrew").operation_model("CreateRecipe").input_shape


def accepted(steps: list[dict[str, Any]]) -> bool:
    return not ParamValidator().validate({"Name": "r", "Steps": steps}, CREATE).has_errors()


def anything(rng: Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth > 4 or kind < 0.5:
        return rng.choice(ATOMS)
    if kind < 0.7:
        return [anything(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(KEYS): anything(rng, depth + 1) for _ in range(rng.randint(0, 4))}


def nearly_a_step(rng: Random) -> Any:
    def spoiled(value: Any) -> Any:
        if rng.random() < 0.1:
            return anything(rng)
        if isinstance(value, dict):
            return {k if rng.random() < 0.95 else rng.choice(KEYS): spoiled(v) for k, v in value.items()}
        return [spoiled(v) for v in value] if isinstance(value, list) else value

    parameters = {"sourceColumn": anything(rng, 3), "value": anything(rng, 3)}
    condition = {"Condition": "IS", "TargetColumn": "a", "Value": anything(rng, 3)}
    whole = {
        "Action": {"Operation": "LOWER_CASE", "Parameters": parameters},
        "ConditionExpressions": [condition],
    }
    return spoiled(whole if rng.random() < 0.7 else {"RecipeStep": whole})


def test_anything_is_a_recipe_that_the_service_takes_or_a_clear_error() -> None:
    rng, recipes, told = Random("anything"), 0, set[bool]()
    makers: list[Callable[[], Any]] = [
        lambda: [nearly_a_step(rng) for _ in range(rng.randint(0, 3))],
        lambda: {"Steps": [nearly_a_step(rng)], "Name": anything(rng, 4)},
        lambda: anything(rng),
    ]
    for _ in range(4000):
        data = rng.choice(makers)()
        try:
            dumped = Recipe.parse(data).dump()
        except RecipeError as error:
            told.add("Step" in error.what or "no list of steps" in error.what)
            continue
        recipes += 1
        assert accepted(dumped)
        assert Recipe.parse(dumped).dump() == dumped
    assert recipes > 400
    assert told == {True}


def parameter(rng: Random, name: str) -> Any:
    if rng.random() < 0.55:
        if "olumns" in name:
            return json.dumps(rng.sample(TABLE.schema.names, rng.randint(1, 3)))
        if name == "targetColumn":
            return rng.choice(["new", "new", "new", "a", "*", "^n$"])
        if "olumn" in name:
            return rng.choice(TABLE.schema.names)
    return rng.choice(VALUES)


def test_any_parameters_give_a_table_or_a_clear_error() -> None:
    rng, names, tables = Random("parameters"), sorted(n for n, a in ACTIONS.items() if not a.refused), 0
    for number in range(5000):
        entry = ACTIONS[names[number % len(names)]]
        optional = [n for n in sorted(entry.optional) if rng.random() < 0.4]
        made = step(entry.operation, **{n: parameter(rng, n) for n in [*sorted(entry.required), *optional]})
        if rng.random() < 0.2:
            column = rng.choice(TABLE.schema.names)
            wanted = {
                "Condition": rng.choice(CONDITIONS),
                "TargetColumn": column,
                "Value": rng.choice(VALUES),
            }
            made["ConditionExpressions"] = [wanted]
        try:
            (after,) = cases.on_worker([(Recipe.parse([made]), TABLE)])
        except RecipeError as error:
            after = error
        if isinstance(after, CleanRoomsError):
            assert "Step 1" in after.what, (after.what, made)
        else:
            tables += 1
    assert tables > 500


@pytest.mark.parametrize("vector", [*OUR_VECTORS, *PAGE_VECTORS], ids=lambda v: v["id"])
def test_a_vector_written_back_is_taken_by_the_service(vector: dict[str, Any]) -> None:
    dumped = Recipe.parse(cases.steps_of(vector)).dump()
    assert accepted(dumped)
    assert Recipe.parse(json.loads(json.dumps(dumped))).dump() == dumped


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("deep.json", "[" * 100_000, "cannot be read"),
        ("deep.yaml", "[" * 5_000, "cannot be read"),
        ("empty.json", "", "cannot be read"),
        ("empty.yaml", "", "no list of steps"),
        ("number.json", "1", "no list of steps"),
        (
            "digits.json",
            '[{"Action":{"Operation":"X","Parameters":{"a":' + "1" * 5000 + "}}}]",
            "cannot be read",
        ),
        ("circle.yaml", "- Action: {Operation: X, Parameters: {a: &y [*y]}}", "Step 1 .* no JSON"),
        ("object.yaml", "- !!python/object:os.system x", "cannot be read"),
    ],
)
def test_files_that_are_no_recipe_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError, match=message):
        Recipe.load(tmp_path / name)


def test_values_of_yaml_are_the_texts_that_stand_there(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "- Action:\n    Operation: X\n    Parameters:\n      a: Yes\n      b: 22:10:47\n      c: 010\n"
        "      d: 1.10\n      e: 2020-01-01\n      f: true\n      g: null\n      h: [1, x, true]\n"
    )
    (found,) = Recipe.load(file).steps
    assert dict(found.parameters) == {
        "a": "Yes", "b": "22:10:47", "c": "010", "d": "1.10", "e": "2020-01-01", "f": "true",
        "h": '["1","x",true]',
    }  # fmt: skip


REFUSED = [
    (step("FOO"), "Step 2 (FOO) is no action"),
    (step("LOWER_CASE", sourceColumn="a", locale="en"), "Step 2 (LOWER_CASE) has parameters that are not"),
    (step("LOWER_CASE"), "Step 2 (LOWER_CASE) lacks parameters: sourceColumn"),
    (step("LOWER_CASE", sourceColumn="b"), "Step 2 (LOWER_CASE) names the column 'b'"),
    (step("CHANGE_DATA_TYPE", sourceColumn="a", columnDataType="uuid"), "has columnDataType that is none of"),
    (step("YEAR", sourceColumn="a", value="2020", targetColumn="b"), "needs either sourceColumn or value"),
    (step("LEFT", sourceColumn="a", position="x", targetColumn="b"), "has position that is no whole number"),
    (step("LEFT", sourceColumn="a", position="1", targetColumn="a"), "would replace the column 'a'"),
    (step("ENCRYPT", sourceColumns='["a"]', kmsKeyArn="x"), "Step 2 (ENCRYPT)"),
    (step("CRYPTOGRAPHIC_HASH", sourceColumns='["a"]', algorithm="SHA384"), "has algorithm that is none of"),
    (
        step("MASK_RANGE", sourceColumns='["a"]', maskSymbol="#", entityTypeFilter='["EMAIL"]'),
        "entityTypeFilter",
    ),
    (step("REMOVE_VALUES", sourceColumn="a"), "removes rows by conditions, and has none"),
]


@pytest.mark.parametrize(("second", "message"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_unknown_is_refused_with_its_steps_number(second: dict[str, Any], message: str) -> None:
    recipe = Recipe.parse([step("UPPER_CASE", sourceColumn="a"), second])
    with pytest.raises(RecipeError) as caught:
        recipe.compile(pa.schema({"a": pa.string()}), cases.secret, tolerant=True)
    assert message in caught.value.what
    assert caught.value.what.startswith("Step 2 ")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"Condition": "IS_NULL", "TargetColumn": "a"}, "unknown condition IS_NULL"),
        ({"Condition": "IS", "TargetColumn": "b", "Value": '["x"]'}, "the column 'b'"),
        ({"Condition": "IS", "TargetColumn": "a", "Value": "x"}, "Value is no JSON"),
        ({"Condition": "CONTAINS", "TargetColumn": "a"}, "without Value"),
        ({"Condition": "LESS_THAN", "TargetColumn": "n", "Value": "x"}, "of another type"),
        ({"Condition": "LESS_THAN", "TargetColumn": "a", "Value": "5"}, "compares the text column 'a'"),
        ({"Condition": "IS_BETWEEN", "TargetColumn": "n", "Value": "5"}, "IS_BETWEEN whose Value cannot"),
    ],
)
def test_conditions_that_cannot_be_read_are_refused(condition: dict[str, str], message: str) -> None:
    recipe = Recipe.parse([step("REMOVE_VALUES", sourceColumn="a") | {"ConditionExpressions": [condition]}])
    with pytest.raises(RecipeError, match=message):
        recipe.compile(pa.schema({"a": pa.string(), "n": pa.int64()}), cases.secret, tolerant=True)


@pytest.mark.parametrize("name", ["*", "^n.*$"])
def test_columns_whose_names_are_patterns_are_refused(name: str) -> None:
    recipe = Recipe.parse([step("UPPER_CASE", sourceColumn="a")])
    with pytest.raises(RecipeError, match="meets a column named"):
        recipe.compile(pa.schema({"a": pa.string(), name: pa.string()}), cases.secret)


def test_columns_of_one_name_are_refused() -> None:
    schema = pa.schema([("a", pa.string()), ("a", pa.string())])
    with pytest.raises(RecipeError, match="'a' stands twice"):
        Recipe.parse([]).compile(schema, cases.secret)
