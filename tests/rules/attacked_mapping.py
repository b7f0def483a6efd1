"""An ID mapping table between ours and the partner's, and what may not come out of it.

Two tables know different people's ids; the mapping table links some of them, and has rows whose id is missing
on one side or on both. Proved from outputs:

- No id, no disallowed text and no digest of either comes out.
- Rows of the mapping table without a match on every side that its rule requires do not matter: without
  them the result is the same.
- What the ids are does not matter, only whom they link: with all ids renamed, in all tables, the result is the
  same. So nothing was filtered, grouped, sorted or cut by them. (The attacks compare no column of the
  two other tables with an id: their own rules let that through.)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

import duckdb

from cleanrooms.rules import Table, Verdict
from tests.rules.attacked import (
    COLUMNS,
    PERSONS,
    Kind,
    engine,
    fill,
    first_leak,
    protected,
    run_in,
    told_apart,
)
from tests.rules.attacked_plain import LISTED, ROLES
from tests.rules.attackers_mapping import MappingAttacker
from tests.rules.support import OURS, PARTNER, aggregation, custom, table

IDS = ("source_id", "target_id")
HIDDEN = custom(disallowedOutputColumns=["key", "note"])
LOOSE: list[tuple[str | None, str | None]] = [
    ("k6", "u1"), ("u2", "t7"), ("u3", "u4"), ("k8", None), (None, "t8"), (None, None),
]  # fmt: skip
"""Rows of the mapping table that have no match on one side at least; ``u`` is in no table."""


def kinds() -> dict[str, Kind]:
    """Mapping tables take the rule type of the tables beside them; in one kind our ids are open."""
    return {
        "mapping": _kind("disallowed", "CUSTOM", HIDDEN, IDS),
        "mapping-open": _kind("disallowed", "CUSTOM", HIDDEN, IDS[1:]),
        "mapping-aggregation": _kind("aggregation", "AGGREGATION", aggregation(**ROLES), IDS),
        "mapping-list": _kind("list", "LIST", LISTED, IDS),
    }


def _kind(style: str, rule_type: str, rule: Mapping[str, Any], required: tuple[str, ...]) -> Kind:
    tables = {
        "a_table": table("a_table", COLUMNS, rule_type, rule, OURS),
        "b_table": table("b_table", COLUMNS, rule_type, rule, PARTNER),
        "links": links(required),
    }
    return Kind(
        tables,
        partial(database, required),
        partial(_attacker, style, required),
        leak,
    )


def links(required: tuple[str, ...]) -> Table:
    """The mapping table; ids that need no join are dimension columns."""
    rule = {
        "joinColumns": list(IDS),
        "queryConstraints": [{"requireOverlap": {"columns": list(required)}}],
        "dimensionColumns": [name for name in IDS if name not in required],
    }
    return table("links", dict.fromkeys(IDS, "string"), "ID_MAPPING_TABLE", rule)


def _attacker(style: str, required: tuple[str, ...], random: Random) -> MappingAttacker:
    return MappingAttacker(random, style, required)


def database(required: tuple[str, ...] = IDS) -> duckdb.DuckDBPyConnection:
    """All rows in ``main``; ``overlap`` lacks what has no match; in ``renamed`` protected ids are other ones.

    Ids that are no secret have another beginning.
    """
    connection = engine()
    ours = "PROT-" if IDS[0] in required else "open-"
    renamed = ours.replace("PROT-", "PROT-y")
    for schema, source, target, loose in (
        ("main", ours, "PROT-", True),
        ("overlap", ours, "PROT-", False),
        ("renamed", renamed, "PROT-y", True),
    ):
        if schema != "main":
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"SET search_path = '{schema}'")
        fill(connection, "a_table", keys=f"{source}k")
        fill(connection, "b_table", keys=f"{target}t")
        connection.execute("CREATE TABLE links (source_id TEXT, target_id TEXT)")
        rows = [(f"k{person}", f"t{person}") for person in range(PERSONS) if person not in (6, 7)]
        rows += [row for row in LOOSE if loose or _matches(row, required)]
        connection.executemany(
            "INSERT INTO links VALUES (?, ?)",
            [(one and source + one, two and target + two) for one, two in rows],
        )
    return connection


def _matches(row: tuple[str | None, str | None], required: tuple[str, ...]) -> bool:
    known = dict(zip(IDS, row, strict=True))
    return all((known[name] or "u").startswith(("k", "t")) for name in required)


def leak(verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> str:
    """An id, or a result that depends on unmatched rows or on what the ids are."""
    found = first_leak(run_in("main", verdict, connection), protected)
    if found:
        return found
    differs = told_apart(("overlap", "renamed"), verdict, connection)
    return f"the result is another one in {differs}" if differs else ""
