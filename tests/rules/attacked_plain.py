"""Two tables under rules of one kind: aggregation, list, and custom with one control."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

import duckdb

from cleanrooms.rules import Verdict
from tests.rules.attacked import (
    ALONE,
    COLUMNS,
    MINIMUM,
    Kind,
    engine,
    fill,
    first_leak,
    protected,
    run,
    small_sum,
)
from tests.rules.attackers import Attacker
from tests.rules.support import OURS, PARTNER, aggregation, custom, table, threshold

ROLES = {
    "aggregateColumns": [
        {"columnNames": ["amount"], "function": "SUM"},
        {"columnNames": ["key"], "function": "COUNT_DISTINCT"},
    ],
    "joinColumns": ["key"],
    "dimensionColumns": ["segment", "region"],
    "scalarFunctions": ["UPPER", "COALESCE"],
}
LISTED = {"joinColumns": ["key"], "listColumns": ["segment", "region"]}
HIDDEN = custom(disallowedOutputColumns=["key", "note"])
# ANY_EXPRESSION lets SUM(CASE WHEN ... THEN amount END) single people out, as documented: not attacked here.
COUNTED = custom(aggregationThresholds=threshold("key", MINIMUM), disallowedOutputColumns=["note"])


def kinds() -> dict[str, Kind]:
    """Ours is ``a_table``, the partner's ``b_table``."""
    return {
        "aggregation": _kind("aggregation", "AGGREGATION", aggregation(**ROLES), counted=True),
        "list": _kind("list", "LIST", LISTED, counted=False),
        "disallowed": _kind("disallowed", "CUSTOM", HIDDEN, counted=False),
        "thresholds": _kind("thresholds", "CUSTOM", COUNTED, counted=True),
    }


def _kind(name: str, rule_type: str, rule: Mapping[str, Any], *, counted: bool) -> Kind:
    tables = {
        item: table(item, COLUMNS, rule_type, rule, owner)
        for item, owner in (("a_table", OURS), ("b_table", PARTNER))
    }
    return Kind(tables, database, partial(_attacker, name), partial(leak, counted=counted))


def _attacker(name: str, random: Random) -> Attacker:
    return Attacker(random, name)


def database() -> duckdb.DuckDBPyConnection:
    """Both tables know the same people."""
    connection = engine()
    for name in ("a_table", "b_table"):
        fill(connection, name)
    return connection


def leak(verdict: Verdict, connection: duckdb.DuckDBPyConnection, *, counted: bool) -> str:
    """A protected value; where people are counted also what stands for fewer people than the minimum."""
    return first_leak(run(verdict, connection), partial(cell, counted=counted))


def cell(value: object, *, counted: bool) -> str:
    """See :func:`leak`."""
    found = protected(value)
    if found or not counted:
        return found
    if str(value).lower() in ALONE:
        return "the name of a group under its minimum came out"
    return small_sum(value, MINIMUM)
