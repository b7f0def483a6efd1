"""The tables that are attacked, and rows whose values tell whose they are."""

from __future__ import annotations

import duckdb

from cleanrooms.rules import Table
from tests.rules.disguises import digests
from tests.rules.support import OURS, PARTNER, aggregation, custom, table, threshold

MINIMUM = 3
LOWEST = 16**3
PERSONS = 9
GUESSED = "prot-k1"
"""The value that attacks write themselves: its coming out again tells nothing."""
DIGESTS = digests([f"PROT-{letter}{person}" for letter in "kn" for person in range(PERSONS)])
COLUMNS = {"key": "string", "amount": "bigint", "segment": "string", "region": "string", "note": "string"}
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


def tables(kind: str) -> dict[str, Table]:
    """Two tables under rules of one kind: ours is ``a_table``, the partner's ``b_table``."""
    rule_type, rule = {
        "aggregation": ("AGGREGATION", aggregation(**ROLES)),
        "list": ("LIST", LISTED),
        "disallowed": ("CUSTOM", HIDDEN),
        "thresholds": ("CUSTOM", COUNTED),
    }[kind]
    return {
        name: table(name, COLUMNS, rule_type, rule, owner)
        for name, owner in (("a_table", OURS), ("b_table", PARTNER))
    }


def database() -> duckdb.DuckDBPyConnection:
    """The tables' rows, with columns that the rules do not know of, named to be mistaken for others."""
    connection = duckdb.connect(":memory:")
    for name in ("a_table", "b_table"):
        connection.execute(
            f"CREATE TABLE {name} (key TEXT, amount BIGINT, segment TEXT, region TEXT, note TEXT, x TEXT, s TEXT)"
        )
        for person in range(PERSONS):
            # Segments of five, three and one person; regions of eight and one.
            segment = ("wide", "wide", "wide", "wide", "wide", "edge", "edge", "edge", "lone")[person]
            region = "south" if person == 4 else "north"
            values = [
                f"PROT-k{person}",
                LOWEST * 16**person,
                segment,
                region,
                f"PROT-n{person}",
                "PROT-x",
                "PROT-s",
            ]
            connection.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    return connection
