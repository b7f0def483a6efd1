"""Worker and Spark give the same values: vectors, generated data for every action, every Unicode code point."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from cleanrooms.recipes import Recipe, cases
from cleanrooms.recipes.actions import ACTIONS
from tests.recipes.helpers import step
from tests.recipes.test_actions import CASES, MANY
from tests.recipes.test_vectors import OUR_VECTORS, PAGE_VECTORS, VECTORS
from tests.spark.driver import Driver
from tests.spark.work import code_points, fingerprint, tables, tasks, texts_of_every_code_point, vectors

SEED = "equality"
ROWS = 150
TEXTS = "aZ09 .,;:-_'\"<>@/?&=%#\t\n\u00a0\u2003\u200bßẞİıΣςσéé̈ﬁǅＡ١٣😊👨‍👩‍👧\x00"
SOME = [
    "",
    " ",
    "null",
    "NULL",
    "a@Example.com",
    "(408) 341-5669",
    "2020-02-29",
    "12.7",
    "1e3",
    "-0",
    "true",
    "http://x/?a=1&b=%20",
]


KINDS = (str, bool, int, float, Decimal, dt.date, dt.datetime)


def texts(rng: Random) -> str:
    return "".join(rng.choice(TEXTS) for _ in range(rng.randint(0, 12)))


def like(cells: list[Any], rng: Random, rows: int = ROWS) -> list[Any]:
    """Values of the cells' type: the cells themselves, edges, random ones and nulls."""
    known = [cell for cell in cells if cell is not None]
    kind = type(known[0]) if known else str

    def one() -> Any:
        if rng.random() < 0.15:
            return None
        if known and (rng.random() < 0.3 or kind not in KINDS):
            return rng.choice(known)
        if kind is str:
            return rng.choice(SOME) if rng.random() < 0.3 else texts(rng)
        if kind is bool:
            return rng.random() < 0.5
        if kind is int:
            return rng.choice([0, 1, -1, 2**31, -(2**53), rng.randint(-5, 5), rng.randint(-(10**9), 10**9)])
        if kind is float:
            return rng.choice(
                [0.0, -0.0, 0.5, -2.5, 1e300, 5e-324, 0.1 + rng.random(), rng.uniform(-1e6, 1e6)]
            )
        if kind is Decimal:
            return Decimal(rng.randint(-(10**9), 10**9)).scaleb(-2)
        day = dt.date(1900, 1, 1) + dt.timedelta(days=rng.randint(0, 80_000))
        if kind is dt.date:
            return day
        return dt.datetime.combine(day, dt.time.min) + dt.timedelta(
            microseconds=rng.randint(0, 86_399_999_999)
        )

    return [*cells, *(one() for _ in range(rows))]


def table(columns: dict[str, list[Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({name: pa.array(cells) for name, cells in columns.items()})


def generated() -> list[cases.Task]:
    """A task for every case of the actions' own tests, on generated data."""
    found = []
    for operation, parameters, cells, _, _ in CASES:
        rng = Random(f"{SEED}:{operation}:{parameters}")
        given = {} if operation == "PI" else {"sourceColumn": "a"}
        columns = {"a": like(cells, rng)}
        columns["n"] = list(range(len(columns["a"])))
        found.append((Recipe.parse([step(operation, **given, **parameters)]), table(columns)))
    for operation, parameters, given_columns, _, _ in MANY:
        rng = Random(f"{SEED}:{operation}:{parameters}")
        size = max(len(cells) for cells in given_columns.values()) + ROWS
        columns = {n: like(cells, rng, size - len(cells)) for n, cells in given_columns.items()}
        found.append((Recipe.parse([step(operation, **parameters)]), table(columns)))
    for vector in filter(cases.steps_of, [*VECTORS, *OUR_VECTORS, *PAGE_VECTORS]):
        cells = zip(*vector["input"]["rows"], strict=True)
        rng = Random(f"{SEED}:{vector['id']}")
        columns = {n: like(list(c), rng, 40) for n, c in zip(vector["input"]["columns"], cells, strict=True)}
        try:
            found.append((Recipe.parse(cases.steps_of(vector)), table(columns)))
        except cases.CleanRoomsError:
            continue
    missing = {"Condition": "IS_MISSING", "TargetColumn": "a"}
    for done in (
        step("REMOVE_VALUES", [missing], sourceColumn="a"),
        step("CRYPTOGRAPHIC_HASH", sourceColumns='["a"]', algorithm="HMAC_SHA512", secretId="s"),
    ):
        found.append((Recipe.parse([done]), table({"a": like(["x"], Random(SEED))})))
    return found


def same(ours: pa.Table | pa.RecordBatch, theirs: pa.Table | pa.RecordBatch) -> bool:
    """Equal in schema, metadata and values; NaN is NaN."""
    left, right = pl.from_arrow(ours), pl.from_arrow(theirs)
    assert isinstance(left, pl.DataFrame)
    assert isinstance(right, pl.DataFrame)
    return ours.schema.equals(theirs.schema, check_metadata=True) and left.equals(right)


def spread(task: cases.Task) -> list[str]:
    """How the whole-table steps of a task work on Spark; ``refused`` where its columns follow from its values."""
    recipe, batch = task
    try:
        plan = recipe.compile(batch.schema, cases.secret, tolerant=True, whole_table=True)
    except cases.CleanRoomsError:
        return ["refused"]
    return [type(stage.whole.spark).__name__ for stage in plan.stages if stage.whole is not None]


TASKS = generated()


def test_every_portable_action_is_among_the_generated_tasks() -> None:
    portable = {
        name for name, entry in ACTIONS.items() if entry.tier.value == "portable" and not entry.refused
    }
    assert portable <= {recipe.steps[0].operation for recipe, _ in TASKS}


def test_every_action_gives_the_same_on_generated_data(spark: Driver) -> None:
    chosen = []
    for task, done in zip(TASKS, cases.on_worker(TASKS), strict=True):
        if isinstance(done, pa.RecordBatch) and not spread(task):
            chosen.append((task, done))
    found = spark(tasks, [task for task, _ in chosen])
    differing = {
        task[0].steps[0].operation
        for (task, done), other in zip(chosen, found, strict=True)
        if not same(done, other)
    }
    assert differing == set()
    assert {"LOWER", "CHANGE_DATA_TYPE", "FORMAT_PHONE_NUMBER", "CRYPTOGRAPHIC_HASH"} <= {
        task[0].steps[0].operation for task, _ in chosen
    }


def test_exact_vectors_pass_and_the_others_come_out_as_on_the_worker(spark: Driver) -> None:
    found = spark(vectors, VECTORS)
    assert [outcome for outcome in found if outcome.failed] == []
    assert found == cases.run(VECTORS)


def test_vectors_of_pages_and_ours_pass(spark: Driver) -> None:
    found = spark(vectors, [*OUR_VECTORS, *PAGE_VECTORS])
    assert [(o.id, o.detail) for o in found if o.verdict != "pass"] == []


TEXT_STEPS = [
    (step(operation, **({"sourceColumn": "a"} | parameters)), column)
    for operation, parameters, cells, column, _ in CASES
    if ACTIONS[operation].category in ("text", "cleaning") and cells and isinstance(cells[0], str)
]


def test_text_actions_give_the_same_for_every_unicode_code_point(spark: Driver) -> None:
    chosen = [(Recipe.parse([done]), column) for done, column in TEXT_STEPS]
    points = code_points()
    expected = []
    for recipe, column in chosen:
        plan = recipe.compile(points.schema, cases.secret, tolerant=True)
        expected.append(fingerprint(map(plan.apply, points.to_batches(max_chunksize=65_536)), column))
    assert spark(texts_of_every_code_point, chosen) == expected


def ordering(*keys: tuple[str, str, str]) -> dict[str, Any]:
    expressions = [{"sourceColumn": c, "ordering": o, "nullsOrdering": n} for c, o, n in keys]
    return step("SORT", expressions=json.dumps(expressions))


UP, DOWN, TOP, BOTTOM = "ASCENDING", "DESCENDING", "NULLS_TOP", "NULLS_BOTTOM"
WHOLE = {
    "duplicates and fills": [
        step("FLAG_DUPLICATE_ROWS", targetColumn="twice"),
        step("DELETE_DUPLICATE_ROWS"),
        step("FILL_WITH_AVERAGE", sourceColumn="x"),
        step("FILL_WITH_SUM", sourceColumn="n"),
        step("LOWER", sourceColumn="text", targetColumn="lower"),
        step("FILL_WITH_MEDIAN", sourceColumn="y"),
        step("FLAG_DUPLICATES_IN_COLUMN", sourceColumn="y", targetColumn="again"),
        step("FILL_WITH_MODE", sourceColumn="k", modeType="MAXIMUM"),
        step("REMOVE_MISSING", sourceColumn="text"),
    ],
    "order": [
        ordering(("x", DOWN, TOP), ("text", UP, BOTTOM)),
        step("FILL_WITH_LAST_VALID", sourceColumn="k"),
        step("PREV", sourceColumn="text", numRows="2", targetColumn="before"),
        step("DUPLICATE", sourceColumn="text", targetColumn="copy"),
        ordering(("amount", UP, TOP), ("day", DOWN, BOTTOM), ("flag", UP, TOP)),
        step("REMOVE_DUPLICATES", sourceColumn="n"),
        step("FILL_WITH_MOST_FREQUENT", sourceColumn="copy"),
    ],
    "groups": [
        step("FILL_WITH_AVERAGE", sourceColumn="amount"),
        step("FILL_WITH_MODE", sourceColumn="x", modeType="AVERAGE"),
        step(
            "GROUP_BY",
            sourceColumns='["k","z"]',
            useNewDataFrame="true",
            groupByAggFunctionOptions=json.dumps(
                [
                    {
                        "sourceColumnName": column,
                        "targetColumnName": f"{function}_{column}",
                        "functionName": function,
                    }
                    for column in ("n", "x")
                    for function in (
                        "SUM",
                        "AVERAGE",
                        "MIN",
                        "MAX",
                        "MEDIAN",
                        "COUNT",
                        "COUNT_DISTINCT",
                        "STANDARD_DEVIATION",
                    )
                ]
            ),
        ),
    ],
}


def people(rng: Random, rows: int) -> pa.Table:
    """Rows of every type that a contract has, with duplicates, ties, nulls, signed zeros and NaN."""
    pool = [
        {
            "text": None if rng.random() < 0.1 else rng.choice([*SOME, texts(rng)]),
            "n": None if rng.random() < 0.1 else rng.randint(-20, 20),
            "x": rng.choice(
                [None, float("nan"), 0.0, -0.0, 0.1, 1e17, -1e17, rng.random(), rng.random() * 1e-9]
            ),
            "y": None if rng.random() < 0.2 else round(rng.uniform(-9, 9), 2),
            "k": rng.choice([None, 1, 2, 2, 3, 3]),
            "z": rng.choice([0.0, -0.0, 1.5, None]),
            "amount": None if rng.random() < 0.1 else Decimal(rng.randint(-999, 999)).scaleb(-2),
            "day": None
            if rng.random() < 0.1
            else dt.date(1, 1, 1) + dt.timedelta(days=rng.randint(0, 3_000_000)),
            "at": None
            if rng.random() < 0.1
            else dt.datetime(1, 1, 1) + dt.timedelta(microseconds=rng.randint(0, 2 * 10**17)),
            "flag": rng.choice([True, False, None]),
            "raw": rng.choice([None, b"", b"\x00\xff", b"a"]),
        }
        for _ in range(rows)
    ]
    schema = pa.schema(
        {
            "text": pa.string(), "n": pa.int64(), "x": pa.float64(), "y": pa.float64(), "k": pa.int32(),
            "z": pa.float64(), "amount": pa.decimal128(18, 2), "day": pa.date32(), "at": pa.timestamp("us"),
            "flag": pa.bool_(), "raw": pa.binary(),
        }.items()
    )  # fmt: skip
    return pa.Table.from_pylist(
        [rng.choice(pool[: rows // 2 + 1]) if rng.random() < 0.5 else row for row in pool], schema
    )


def test_every_action_that_spark_spreads_is_in_one_of_the_recipes() -> None:
    used = {done["Action"]["Operation"] for steps in WHOLE.values() for done in steps}
    alone = [task for task in TASKS if len(task[0].steps) == 1]
    wanted = {task[0].steps[0].operation for task in alone if set(spread(task)) - {"Gathered", "refused"}}
    assert wanted
    assert wanted <= used


OTHER_TYPES = {
    "struct": pa.array(
        [{"x": 1, "y.z": {"`": "a"}}, {"x": 1, "y.z": {"`": "a"}}, None, {"x": None, "y.z": None}]
    ),
    "list": pa.array([[{"x": 1}], [{"x": 1}], None, []]),
    "null": pa.nulls(4),
    "large": pa.array(["a", "a", None, "é"], pa.large_string()),
    "large binary": pa.array([b"a", b"a", None, b""], pa.large_binary()),
    "category": pa.array(["a", "a", None, "b"]).dictionary_encode(),
    "milliseconds": pa.array(
        [dt.datetime(2020, 1, 1)] * 2 + [None, dt.datetime(2019, 1, 1)], pa.timestamp("ms")
    ),
    "zone": pa.array(
        [dt.datetime(2020, 1, 1)] * 2 + [None, dt.datetime(2019, 1, 1)], pa.timestamp("us", "UTC")
    ),
    "zeros": pa.array([-0.0, 0.0, None, float("nan")]),
    "a b.c`d": pa.array([1, 1, None, 2]),
}


def test_columns_of_other_types_and_names_move_between_machines(spark: Driver) -> None:
    found = []
    for name, cells in OTHER_TYPES.items():
        batch = pa.RecordBatch.from_arrays([cells, pa.array([1, 1, 3, 4])], [name, "k"])
        flag = {"targetColumn": "twice", "trueString": "1", "falseString": "0"}
        steps = [
            step("FLAG_DUPLICATES_IN_COLUMN", sourceColumn=name, **flag),
            step("DELETE_DUPLICATE_ROWS"),
            step("FILL_WITH_SUM", sourceColumn="k"),
            step("FILL_WITH_LAST_VALID", sourceColumn=name),
        ]
        if name not in ("struct", "list"):
            steps.append(step("FILL_WITH_MOST_FREQUENT", sourceColumn=name))
        found.append((Recipe.parse(steps), batch))
    for task, ours, theirs in zip(found, cases.on_worker(found), spark(tasks, found), strict=True):
        assert isinstance(ours, pa.RecordBatch), ours
        assert isinstance(theirs, pa.RecordBatch), (task[1].schema.names[0], theirs)
        assert same(ours, theirs), task[1].schema.names[0]


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_whole_table_actions_give_the_same_on_a_table_in_parts(name: str, spark: Driver) -> None:
    steps, rng = WHOLE[name], Random(f"{SEED}:{name}")
    parts = [people(rng, size) for size in (170, 0, 90, 1)]
    plan = Recipe.parse(steps).compile(parts[0].schema, cases.secret, tolerant=True, whole_table=True)
    (batch,) = pa.concat_tables(parts).combine_chunks().to_batches()
    assert same(spark(tables, steps, parts).combine_chunks(), pa.Table.from_batches([plan.apply(batch)]))
