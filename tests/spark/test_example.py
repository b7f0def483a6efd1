"""Every recipe of the example gives the same table on Spark, keys included, whatever its source is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.config import Source, load_source
from cleanrooms.identity import IdentityColumn
from cleanrooms.recipes import Recipe, cases
from cleanrooms.sources.contract import contract_schema
from tests.spark.driver import Driver
from tests.spark.test_equality import same
from tests.spark.work import tables

SOURCES = sorted((Path(__file__).parents[2] / "include" / "sources").glob("*.yaml"))
ROWS = 400
EMAILS = [
    "Ann.Lee@Example.com ",
    "bob@shop.example",
    " BOB@shop.example",
    "none@none.com",
    "no address",
    "",
    "é@x.example",
]
PHONES = ["(408) 341-5669", "408.341.5669", "+1 212 555 0123", "+44 20 7946 0018", "123", "0000000000", ""]


def rows(source: Source, rng: Random) -> pa.Table:
    schema = contract_schema(source.contract)

    def cell(field: pa.Field, required: bool) -> Any:
        if not required and rng.random() < 0.1:
            return None
        if pa.types.is_integer(field.type):
            return rng.randrange(1000)
        if pa.types.is_timestamp(field.type):
            return dt.datetime(2017, 11, 13) + dt.timedelta(seconds=rng.randrange(86_400))
        if pa.types.is_date(field.type):
            return dt.date(2017, 11, 13) + dt.timedelta(days=rng.randrange(7))
        choices = {"email": EMAILS, "phone": PHONES, "marketing_consent": ["yes", "no", "YES"]}
        return rng.choice(choices.get(field.name, ["a", " B ", "ç", "60+"]))

    columns = zip(schema, source.contract.columns, strict=True)
    values = {f.name: [cell(f, c.required) for _ in range(ROWS)] for f, c in columns}
    return pa.Table.from_pydict(values, schema)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_recipe_of_the_example_gives_the_workers_table(path: Path, spark: Driver) -> None:
    source = load_source(path)
    steps = Recipe.load(source.recipe_path).dump()
    given = rows(source, Random(path.stem))
    identity = tuple(
        IdentityColumn(i.column, i.identifier, i.dialect, i.region, i.region_column) for i in source.identity
    )
    plan = Recipe.parse(steps).compile(
        given.schema, cases.secret, hash_encoding=source.hash_encoding, identity=identity
    )
    (batch,) = given.combine_chunks().to_batches()
    ours = pa.Table.from_batches([plan.apply(batch)])
    assert ours.num_rows > 0
    parts = [given.slice(0, 250), given.slice(250)]
    theirs = spark(tables, steps, parts, hash_encoding=source.hash_encoding, identity=identity)
    assert same(theirs.combine_chunks(), ours.combine_chunks())
