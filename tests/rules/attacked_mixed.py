"""Tables under different rules in one query: every table's own protection holds, and types do not mix.

``mixed`` joins three tables with custom rules: ours without thresholds, the partner's with a minimum of three
people, a third member's with a minimum of five and comparison controls. Proved from outputs:

- No disallowed text and no digest of one comes out.
- No sum of the partner's amounts over fewer than three people, none of the third member's over fewer than five
  (each in digits of its own), and no name of a group that is too small by its own table's minimum.
- What may not be compared with literals does not matter: with these texts renamed, in an order that stays the
  same, so do the results. (The attacks compare no other text of these kinds with literals.) Columns may be
  compared, and are not looked at here.

``types`` has an aggregation rule on one table and custom and list rules on the others. Nothing that reads tables of
two types may be accepted at all; what reads one is judged as for that type.
"""

from __future__ import annotations

from functools import partial

import duckdb

from cleanrooms.rules import Verdict
from tests.rules import attacked_plain
from tests.rules.attacked import (
    COLUMNS,
    Kind,
    engine,
    fill,
    first_leak,
    protected,
    run,
    run_in,
    small_sum,
    told_apart,
)
from tests.rules.attackers_mixed import MixedAttacker, TypesAttacker
from tests.rules.support import OURS, PARTNER, THIRD, aggregation, custom, table, threshold

THREE, FIVE = 3, 5
_BASE, _PARTNERS_DIGIT, _THIRDS_DIGIT = 64, 2, 11
# Our names tell nothing; a name of theirs stands for one person, of the third member's for three or one.
_OUR_SEGMENTS = ("wide", "wide", "wide", "wide", "wide", "edge", "edge", "edge", "mine")
_OUR_REGIONS = ("north", "north", "north", "north", "home", "north", "north", "north", "north")
_THIRD_SEGMENTS = ("wide", "wide", "wide", "wide", "wide", "few", "few", "few", "solo")
_SMALL = ("lone", "south", "few", "solo")


def kinds() -> dict[str, Kind]:
    """See the module."""
    counted = custom(aggregationThresholds=threshold("key", THREE), disallowedOutputColumns=["note"])
    compared = custom(
        aggregationThresholds=threshold("key", FIVE),
        disallowedOutputColumns=["note"],
        comparisonControls={
            "allowedLiteralComparisonColumns": ["segment", "region"],
            "allowedColumnComparisonColumns": ["key", "segment", "region", "note"],
        },
    )
    mixed = {
        "a_table": table("a_table", COLUMNS, "CUSTOM", custom(disallowedOutputColumns=["note"]), OURS),
        "b_table": table("b_table", COLUMNS, "CUSTOM", counted, PARTNER),
        "c_table": table("c_table", COLUMNS, "CUSTOM", compared, THIRD),
    }
    types = {
        "a_table": table("a_table", COLUMNS, "AGGREGATION", aggregation(**attacked_plain.ROLES), OURS),
        "b_table": table("b_table", COLUMNS, "CUSTOM", attacked_plain.HIDDEN, PARTNER),
        "c_table": table("c_table", COLUMNS, "LIST", attacked_plain.LISTED, PARTNER),
        "d_table": table("d_table", COLUMNS, "LIST", attacked_plain.LISTED, OURS),
    }
    return {
        "mixed": Kind(mixed, _mixed_rows, MixedAttacker, _mixed_leak),
        "types": Kind(types, _typed_rows, TypesAttacker, partial(_typed_leak, kinds=types)),
    }


def _mixed_rows() -> duckdb.DuckDBPyConnection:
    """In the schema ``renamed`` the texts that may not be compared with literals are other ones."""
    connection = engine()
    for schema, keys, notes in (("main", "id-k", "PROT-n"), ("renamed", "id-l", "PROT-o")):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        fill(
            connection,
            f"{schema}.a_table",
            keys=keys,
            notes=notes,
            base=1,
            segments=_OUR_SEGMENTS,
            regions=_OUR_REGIONS,
        )
        fill(
            connection,
            f"{schema}.b_table",
            keys=keys,
            notes=notes,
            base=_BASE,
            first_digit=_PARTNERS_DIGIT,
            amounts="DECIMAL(38, 0)",
        )
        fill(
            connection,
            f"{schema}.c_table",
            keys=keys,
            notes=notes,
            segments=_THIRD_SEGMENTS,
            base=_BASE,
            first_digit=_THIRDS_DIGIT,
            amounts="DECIMAL(38, 0)",
        )
    return connection


def _mixed_leak(verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> str:
    found = first_leak(run_in("main", verdict, connection), _mixed_cell)
    if found:
        return found
    if {"b_table", "c_table"}.isdisjoint(verdict.tables) or _shows_keys(verdict, connection):
        return ""
    return "a text was compared with a literal" if told_apart(("renamed",), verdict, connection) else ""


def _mixed_cell(value: object) -> str:
    text = str(value).lower()
    if text.rstrip("-") in _SMALL:
        return "the name of a group under its minimum came out"
    return (
        protected(value)
        or small_sum(value, THREE, base=_BASE, first_digit=_PARTNERS_DIGIT)
        or small_sum(value, FIVE, base=_BASE, first_digit=_THIRDS_DIGIT)
    )


def _shows_keys(verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> bool:
    """Identities may come out where enough of them share a row; then other ones come out after renaming."""
    return any("id-k" in str(row).lower() for row in run_in("main", verdict, connection))


def _typed_rows() -> duckdb.DuckDBPyConnection:
    connection = engine()
    for name in ("a_table", "b_table", "c_table", "d_table"):
        fill(connection, name)
    return connection


def _typed_leak(verdict: Verdict, connection: duckdb.DuckDBPyConnection, *, kinds: dict[str, object]) -> str:
    types = {getattr(kinds[name], "rule_type", None) for name in verdict.tables}
    if len(types) != 1:
        return f"tables of the types {', '.join(sorted(map(str, types)))} in one query"
    counted = types == {"AGGREGATION"}
    return first_leak(run(verdict, connection), partial(attacked_plain.cell, counted=counted))
