"""Which partitions a query can need: those that a simple condition on partition keys does not rule out.

Leaving a partition out is safe when the condition is a conjunct of the WHERE clause that is never true for
NULLs: then rows of that partition cannot survive, nor can the NULLs that an outer join would put in their
place. Comparisons of keys with literals are of that kind; nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
from sqlglot import exp

from sandbox.cleanrooms.catalog import Partition
from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.hive import duckdb_type
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.translate import translate
from sandbox.cleanrooms.spark import statements

_TABLE = "partitions"
_SIMPLE = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.In,
    exp.Between,
    exp.Literal,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Column,
    exp.Identifier,
)


def needed(sql: str, table: str, keys: Mapping[str, str], partitions: Sequence[Partition]) -> list[Partition]:
    """Returns the partitions that ``sql`` can need.

    :param table: name of the table in the query
    :param keys: partition keys, name to Hive type
    """
    conditions = _conditions(sql, table.lower(), {key.lower() for key in keys})
    if not conditions or None in conditions or not partitions:
        return list(partitions)
    try:
        either = exp.or_(*(one for one in conditions if one is not None))
        return [partitions[position] for position in _matching(either, keys, partitions)]
    except (QueryFailed, duckdb.Error):
        return list(partitions)


def _conditions(sql: str, table: str, keys: set[str]) -> list[exp.Expr | None]:
    """The condition on keys for each reference to the table; ``None`` where there is none."""
    found: list[exp.Expr | None] = []
    for statement in statements(sql):
        for select in statement.find_all(exp.Select):
            sources = _sources(select)
            for alias, name in sources:
                if name == table:
                    found.append(_condition(select, alias, keys, alone=len(sources) == 1))
    return found


def _sources(select: exp.Select) -> list[tuple[str, str]]:
    """Alias and table name of what a SELECT reads directly; the name is empty for anything but a table."""
    clause = select.args.get("from_") or select.args.get("from")
    joins: list[exp.Expr] = select.args.get("joins") or []
    items = [clause.this] if clause else []
    items += [join.this for join in joins]
    return [
        (item.alias_or_name.lower(), item.name.lower() if isinstance(item, exp.Table) else "")
        for item in items
    ]


def _condition(select: exp.Select, alias: str, keys: set[str], *, alone: bool) -> exp.Expr | None:
    where = select.args.get("where")
    conjuncts = list(_conjuncts(where.this)) if where else []
    usable = [one.copy() for one in conjuncts if _is_simple(one, alias, keys, alone=alone)]
    for one in usable:
        for column in one.find_all(exp.Column):
            column.set("table", exp.to_identifier(_TABLE))
    return exp.and_(*usable) if usable else None


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    elif isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    else:
        yield condition


def _is_simple(condition: exp.Expr, alias: str, keys: set[str], *, alone: bool) -> bool:
    columns = list(condition.find_all(exp.Column))
    return (
        bool(columns)
        and all(isinstance(node, _SIMPLE) for node in condition.walk())
        and all(
            column.name.lower() in keys and (column.table.lower() == alias if column.table else alone)
            for column in columns
        )
    )


def _matching(condition: exp.Expr, keys: Mapping[str, str], partitions: Sequence[Partition]) -> list[int]:
    wanted = exp.select(f"{_TABLE}.position").from_(_TABLE).where(condition).order_by(f"{_TABLE}.position")
    query = translate(wanted.sql("spark"), {_TABLE: {"position": "int", **keys}}).query
    with duckdb.connect() as con:
        for macro in definitions():
            con.execute(macro)
        raw = ", ".join(f"k{number} VARCHAR" for number in range(len(keys)))
        con.execute(f"CREATE TABLE raw (position INTEGER, {raw})")
        marks = ", ".join("?" * (len(keys) + 1))
        rows = [[position, *partition.values] for position, partition in enumerate(partitions)]
        con.executemany(f"INSERT INTO raw VALUES ({marks})", rows)
        typed = ", ".join(
            f'TRY_CAST(k{number} AS {duckdb_type(hive_type)}) AS "{key}"'
            for number, (key, hive_type) in enumerate(keys.items())
        )
        con.execute(f"CREATE VIEW {_TABLE} AS SELECT position, {typed} FROM raw")
        return [position for (position,) in con.execute(query).fetchall()]
