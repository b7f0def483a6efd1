"""From an accepted query in Spark's SQL to statements for DuckDB with the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sandbox.cleanrooms.engine import kinds
from sandbox.cleanrooms.engine.coercion import engine_name
from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.hive import data_type
from sandbox.cleanrooms.engine.kinds import Kind
from sandbox.cleanrooms.engine.lowering import Lowering
from sandbox.cleanrooms.engine.noise import blurred
from sandbox.cleanrooms.engine.parsing import ByName
from sandbox.cleanrooms.engine.rule import refuse
from sandbox.cleanrooms.engine.scopes import Columns
from sandbox.cleanrooms.spark import UnreadableQuery, statements


@dataclass(frozen=True)
class Noise:
    """How to blur the final aggregations, see :mod:`sandbox.cleanrooms.engine.noise`."""

    scale: float
    seed: str


@dataclass(frozen=True)
class Translation:
    """DuckDB's form of a query.

    :param preparations: statements to run before, for CACHE TABLE
    :param query: the one that gives the result
    :param columns: the result's column names
    :param types: the result's column types, as DuckDB names them
    """

    preparations: tuple[str, ...]
    query: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


def translate(
    sql: str,
    tables: Mapping[str, Mapping[str, str]],
    columns: Sequence[str] = (),
    noise: Noise | None = None,
) -> Translation:
    """Translates ``sql``.

    :param tables: columns of the tables that it reads, name to Hive type
    :param columns: names of the result's columns, when the caller knows them
    :param noise: under differential privacy
    :raises QueryFailed: a construct or function whose result would differ from the service's
    """
    try:
        *before, last = statements(sql, ByName)
        shown = statements(sql)[-1]
    except UnreadableQuery as problem:
        raise QueryFailed(MALFORMED_QUERY, str(problem)) from problem
    known = Columns({table: _kinds(fields) for table, fields in tables.items()})
    preparations = tuple(_cache(statement, known) for statement in before)
    if not isinstance(last, exp.Query):
        raise QueryFailed(MALFORMED_QUERY, "The last statement has to be a query.")
    fields = Lowering(known, exact_averages=noise is None).run(last)
    for _, kind in fields:
        if kind in (kinds.UNKNOWN, kinds.INTERVAL):
            raise refuse("of a result whose type Parquet does not have")
    lowered = blurred(last, noise.scale, noise.seed) if noise is not None else last
    names = tuple(columns) or _names(shown) or tuple(name for name, _ in fields)
    return Translation(
        preparations, lowered.sql("duckdb"), names, tuple(engine_name(kind) for _, kind in fields)
    )


def _kinds(fields: Mapping[str, str]) -> dict[str, Kind]:
    return {column: _kind(hive_type) for column, hive_type in fields.items()}


def _kind(hive_type: str) -> Kind:
    built = data_type(hive_type)
    if kinds.is_decimal(built):
        return kinds.decimal(*kinds.size_of(built))
    for node in built.find_all(exp.DataType):
        if kinds.is_text(node):
            node.replace(kinds.TEXT.copy()) if node is not built else None
    return kinds.TEXT if kinds.is_text(built) else built


def _cache(statement: exp.Expr, known: Columns) -> str:
    if not isinstance(statement, exp.Cache) or not isinstance(statement.expression, exp.Query):
        raise QueryFailed(MALFORMED_QUERY, "Only CACHE TABLE statements may come before the query.")
    query = statement.expression
    fields = Lowering(known).run(query)
    known.add_table(statement.this.name, fields)
    name = exp.to_identifier(statement.this.name, quoted=True).sql("duckdb")
    return f"CREATE TEMP TABLE {name} AS {query.sql('duckdb')}"


def _names(query: exp.Expr) -> tuple[str, ...]:
    """Names as Spark gives them: the alias, the column, else the expression's own text."""
    selected = query.selects if isinstance(query, exp.Query) else []
    if any(item.is_star for item in selected):
        return ()
    return tuple(item.alias_or_name or item.sql("spark", normalize_functions="lower") for item in selected)
