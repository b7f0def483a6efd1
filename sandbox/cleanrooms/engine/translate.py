"""From an accepted query in Spark's SQL to statements for DuckDB with the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.schema import MappingSchema

from sandbox.cleanrooms.engine.failures import MALFORMED_QUERY, QueryFailed
from sandbox.cleanrooms.engine.functions import SAME, name_of, refuse
from sandbox.cleanrooms.engine.hive import data_type
from sandbox.cleanrooms.engine.noise import blurred
from sandbox.cleanrooms.engine.rewrites import REWRITES
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
    :param columns: the result's column names; empty when only the engine knows them (``SELECT *``)
    """

    preparations: tuple[str, ...]
    query: str
    columns: tuple[str, ...]


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
        *before, last = statements(sql)
    except UnreadableQuery as problem:
        raise QueryFailed(MALFORMED_QUERY, str(problem)) from problem
    names = tuple(columns) or _names(last)
    schema = _schema(tables)
    preparations = [_cache(statement, schema) for statement in before]
    if not isinstance(last, exp.Query):
        raise QueryFailed(MALFORMED_QUERY, "The last statement has to be a query.")
    return Translation(tuple(preparations), _duckdb(last, schema, noise), names)


def _schema(tables: Mapping[str, Mapping[str, str]]) -> MappingSchema:
    typed: dict[str, object] = {
        table: {column: data_type(hive_type) for column, hive_type in columns.items()}
        for table, columns in tables.items()
    }
    return MappingSchema(typed, dialect="spark", normalize=False)


def _cache(statement: exp.Expr, schema: MappingSchema) -> str:
    if not isinstance(statement, exp.Cache) or not isinstance(statement.expression, exp.Query):
        raise QueryFailed(MALFORMED_QUERY, "Only CACHE TABLE statements may come before the query.")
    typed = _typed(statement.expression, schema)
    columns = {item.alias_or_name: item.type or exp.DataType.build("unknown") for item in typed.selects}
    name = statement.this.name
    text = _rewritten(typed).sql("duckdb")
    schema.add_table(name, columns, dialect="spark", normalize=False)
    return f"CREATE TEMP TABLE {exp.to_identifier(name, quoted=True).sql('duckdb')} AS {text}"


def _duckdb(query: exp.Query, schema: MappingSchema, noise: Noise | None) -> str:
    rewritten = cast(exp.Query, _rewritten(_typed(query, schema)))
    if noise is not None:
        rewritten = blurred(rewritten, noise.scale, noise.seed)
    return rewritten.sql("duckdb")


def _typed(query: exp.Query, schema: MappingSchema) -> exp.Query:
    query = query.copy()
    for hint in list(query.find_all(exp.Hint)):
        hint.pop()
    try:
        return annotate_types(query, schema=schema, dialect="spark")
    except SqlglotError as problem:
        raise QueryFailed(MALFORMED_QUERY, "The query's types do not fit together.") from problem


def _rewritten(tree: exp.Expr) -> exp.Expr:
    """Rewrites from the leaves up, so that every rewrite sees finished operands."""
    _refuse_unknown(tree)
    root = exp.Paren(this=tree)
    for node in reversed(list(tree.walk())):
        rewrite = REWRITES.get(type(node))
        known = node.type
        outcome = rewrite(node) if rewrite else node
        if wanted := node.meta.pop("cast", None):
            target = exp.DataType.build(wanted, dialect="duckdb")
            outcome = exp.Cast(this=outcome.copy(), to=target)
        if outcome is not node:
            outcome.type = known
            node.replace(outcome)
    return cast(exp.Expr, root.this)


def _refuse_unknown(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.Func):
        if type(node) not in SAME and type(node) not in REWRITES:
            raise refuse(name_of(node))
    for item in tree.find_all(exp.Table, exp.Lateral, exp.Unnest):
        if not isinstance(item, exp.Table) or not isinstance(item.this, exp.Identifier):
            raise refuse("of a table")


def _names(query: exp.Expr) -> tuple[str, ...]:
    """Names as Spark gives them: the alias, the column, else the expression's own text."""
    selected = query.selects if isinstance(query, exp.Query) else []
    if any(item.is_star for item in selected):
        return ()
    return tuple(item.alias_or_name or item.sql("spark", normalize_functions="lower") for item in selected)
