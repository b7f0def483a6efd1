"""Tables under differential privacy, and what may not come out of them whatever the noise is.

What is provable from outputs on known rows, and is proved here:

- No identifier of a user, no disallowed text and no digest of either comes out.
- Noise reaches everything that depends on a person. The sandbox's own translation runs with noise that
  drowns every aggregation (it is NULL), once with all people and once without each of some. In a group that
  is there both times nothing that is left may differ: no output column, no sort key, no HAVING.
- People are kept apart until the last step, so that noise for one user's rows is noise for what the user
  adds. Exact sums and counts of a group change by the same number when a person leaves all the others and
  when the person leaves alone: nobody's rows depend on anybody else's.

What is not proved, because the documents leave it open: that the noise is enough (the sandbox's is a rehearsal, and
one user's rows are not limited), and which groups exist. A group key is any expression that is not
the user column, as in the guide's grammar, so a single person's group tells that there is one.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from functools import cache

import duckdb
import sqlglot
from sqlglot import exp

from cleanrooms.rules import Verdict
from sandbox.cleanrooms.aggregations import aggregation_nodes
from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.translate import Noise, translate
from tests.rules.attacked import COLUMNS, PERSONS, Kind, NotRun, Rows, engine, fill, first_leak, protected
from tests.rules.attackers_private import PrivateAttacker
from tests.rules.support import OURS, PARTNER, custom, table

REMOVED = (0, 4, 8)
"""With the lowest and the highest amount among them, one in a region and one in a segment of their own."""
_DROWNED = "CREATE OR REPLACE MACRO rehearsal_noise(scale, seed) AS (CAST(NULL AS BIGINT))"
PRIVATE = custom(differentialPrivacy={"columns": [{"name": "key"}]}, disallowedOutputColumns=["note"])
OPEN = custom(disallowedOutputColumns=["note"])


def kinds() -> dict[str, Kind]:
    """The partner protects ``a_table`` and ``b_table``; ``c_table`` is ours and not private."""
    tables = {
        "a_table": table("a_table", COLUMNS, "CUSTOM", PRIVATE, PARTNER),
        "b_table": table("b_table", COLUMNS, "CUSTOM", PRIVATE, PARTNER),
        "c_table": table("c_table", COLUMNS, "CUSTOM", OPEN, OURS),
    }
    return {"private": Kind(tables, database, PrivateAttacker, leak)}


def database() -> duckdb.DuckDBPyConnection:
    """All people in the schema ``main``; others lack a person, have nobody else, or have nobody."""
    connection = engine()
    for macro in definitions():
        connection.execute(macro)
    connection.execute(_DROWNED)
    schemas: dict[str, Collection[int]] = {"main": range(PERSONS), "nobody": ()}
    for person in REMOVED:
        schemas[f"without_{person}"] = [one for one in range(PERSONS) if one != person]
        schemas[f"only_{person}"] = [person]
    for schema, people in schemas.items():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name in ("a_table", "b_table"):
            # Not the same people in both: an outer join has something to fill up.
            fill(
                connection,
                f"{schema}.{name}",
                people=[one for one in people if one != ord(name[0]) - ord("a")],
            )
        fill(connection, f"{schema}.c_table")
    return connection


def leak(verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> str:
    """A protected value, or a part of the output that tells about one person in spite of noise."""
    assert verdict.sql is not None
    try:
        query = _drowned(verdict.sql)
    except QueryFailed as failed:
        raise NotRun from failed
    shown = len(query.expressions)
    keys = _watch(query)
    text = query.sql("duckdb")
    rows = _rows(connection, "main", text)
    found = first_leak([row[:shown] for row in rows], protected)
    if found:
        return found
    everyone = _by_group(rows, keys)
    for person in REMOVED:
        fewer = _by_group(_rows(connection, f"without_{person}", text), keys)
        if any(fewer[group] != everyone[group] for group in fewer.keys() & everyone.keys()):
            return f"what noise does not reach tells about person {person}"
    return _mixed_people(verdict.sql, connection)


def _mixed_people(sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    text, keys = _measured(sql)
    schemas = ["main", "nobody", *(f"{kind}_{person}" for person in REMOVED for kind in ("without", "only"))]
    found = {schema: _numbers(_rows(connection, schema, text), keys) for schema in schemas}
    cells = {cell for numbers in found.values() for cell in numbers}
    for person in REMOVED:
        pairs = ("main", f"without_{person}"), (f"only_{person}", "nobody")
        for cell in cells:
            from_all, from_alone = (
                found[before].get(cell, 0) - found[after].get(cell, 0) for before, after in pairs
            )
            if from_all != from_alone:
                return f"the rows of person {person} depend on those of others"
    return ""


def _measured(sql: str) -> tuple[str, int]:
    """The final SELECT's groups with exact sums and counts, in DuckDB's form, and how many keys there are.

    Averages are measured by their sums. What counts distinct values does not add up, and is left out.
    """
    query = sqlglot.parse_one(sql, read="spark")
    assert isinstance(query, exp.Select)
    group = query.args.get("group")
    keys = [query.expressions[int(key.name) - 1].unalias() if isinstance(key, exp.Literal) else key
            for key in (group.expressions if group is not None else ())]  # fmt: skip
    sums: list[exp.Expression] = [exp.Count(this=exp.Star())]
    for node in aggregation_nodes(query):
        if isinstance(node.this, exp.Star | exp.Distinct) or node.find(exp.Query):
            continue
        sums.append(node.copy() if isinstance(node, exp.Count) else exp.Sum(this=node.this.copy()))
    query.set("expressions", [key.copy() for key in keys] + sums)
    if keys:
        query.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    for part in ("order", "having", "limit", "offset", "distinct"):
        query.set(part, None)
    return query.sql("duckdb"), len(keys)


def _numbers(rows: Rows, keys: int) -> dict[tuple[str, ...], Fraction]:
    """The numbers of each group, by the group's keys and their place."""
    return {
        (*map(str, row[:keys]), str(at)): Fraction(str(value or 0))
        for row in rows
        for at, value in enumerate(row[keys:])
    }


@cache
def _hive_types() -> dict[str, dict[str, str]]:
    return {name: dict(COLUMNS) for name in ("a_table", "b_table", "c_table")}


def _drowned(sql: str) -> exp.Select:
    """The sandbox's translation with noise, which the database's macro makes NULL."""
    translation = translate(sql, _hive_types(), noise=Noise(1.0, "seed"))
    query = sqlglot.parse_one(translation.query, read="duckdb")
    assert isinstance(query, exp.Select)
    assert not translation.preparations
    return query


def _watch(query: exp.Select) -> list[int]:
    """Turn the query's last steps into output columns, in place; returns where its group's keys are.

    Sorting, LIMIT, DISTINCT and HAVING can tell as much as a column, but only by which rows are left.
    """
    group, order, having = (query.args.get(part) for part in ("group", "order", "having"))
    keys: list[int] = []
    for key in group.expressions if group is not None else ():
        if isinstance(key, exp.Literal) and key.is_int:
            keys.append(int(key.name) - 1)
        else:
            keys.append(len(query.expressions))
            query.append("expressions", key.copy())
    for ordered in order.expressions if order is not None else ():
        if not isinstance(ordered.this, exp.Literal):
            query.append("expressions", ordered.this.copy())
    if having is not None:
        query.append("expressions", having.this.copy())
    for part in ("order", "having", "limit", "offset", "distinct"):
        query.set(part, None)
    return keys


def _rows(connection: duckdb.DuckDBPyConnection, schema: str, text: str) -> Rows:
    connection.execute(f"SET search_path = '{schema},main'")
    try:
        return connection.execute(text).fetchall()
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException) as problem:
        raise NotRun from problem


def _by_group(rows: Rows, keys: list[int]) -> dict[tuple[str, ...], str]:
    return {tuple(str(row[key]) for key in keys): str(row) for row in rows}
