"""The example's thresholds of hygiene fit the example's data."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from cleanrooms.config import load_sources
from cleanrooms.identity import IdentityColumn, SecretKey
from cleanrooms.identity.hygiene import Gate
from cleanrooms.recipes import Recipe
from cleanrooms.sources.contract import check_rows, contract_schema
from cleanrooms.sources.hygiene import passed
from cleanrooms.sources.keyring import KeyRing
from cleanrooms.sources.rows import Rows
from examples import crm, saas
from examples.setup import INCLUDE

SOURCES = {source.name: source for source in load_sources(INCLUDE)}
ROWS = {"crm_households": lambda day: crm.rows(day, day), "campaign_exposures": saas.rows}


def any_key(name: str, /, *, stage: str | None = None) -> SecretKey:
    return SecretKey(b"any key", "any epoch")


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("day", [date(2017, 1, 9), date(2017, 7, 4), date(2017, 11, 13), date(2017, 11, 18)])
def test_a_night_of_the_example_passes_the_gate(name: str, day: date) -> None:
    source = SOURCES[name]
    ring = KeyRing(source, day, any_key)
    plan = Recipe.load(source.recipe_path).compile(
        contract_schema(source.contract),
        ring,
        identity=[IdentityColumn(i.column, i.identifier, i.dialect, i.region) for i in source.identity],
    )
    gate = Gate(plan.output_schema, ring.of_epoch, tuple(source.hygiene.columns))
    table: pa.Table = ROWS[name](day).select([column.name for column in source.contract.columns])
    for batch in table.combine_chunks().to_batches():
        good = check_rows(Rows(batch, 1), source.contract).good
        gate.add(gate.look(plan.apply(good), good.num_rows))
    facts = passed(source, day, gate)
    assert facts.rows > 0
    assert sum(facts.placeholders.values()) == 0
