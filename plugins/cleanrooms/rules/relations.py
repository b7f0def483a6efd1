"""FROM clauses: the relations of a SELECT, and what each of their columns is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from cleanrooms.rules.model import Table
from cleanrooms.rules.parse import extras
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.scope import (
    CONSTANT,
    BaseColumn,
    Block,
    Field,
    Lineage,
    Query,
    Relation,
)

_GENERATED = {exp.Explode: 1, exp.Posexplode: 2, exp.ExplodeOuter: 1, exp.PosexplodeOuter: 2}
"""Columns that a generator function of LATERAL VIEW gives for an array."""


@dataclass(eq=False)
class Definition:
    """A common table expression or a cached table.

    :param identifier: spells its name where it is defined
    :param number: tells definitions of one name apart
    """

    name: str
    query: Query
    fields: list[Field]
    identifier: exp.Identifier
    number: int


DEFINITION = "definition"
"""Notes in a table's node which definition it reads: copies of the node keep the note."""

Definitions = Mapping[str, Definition]


def outputs(query: Query, columns: list[exp.Identifier], report: Report, code: str) -> list[Field]:
    """A query's result columns as another query sees them, renamed where the alias lists columns."""
    return _renamed(query.fields, columns, report, code)


def table_relation(
    node: exp.Table, tables: Mapping[str, Table], definitions: Definitions, report: Report, code: str
) -> Relation:
    """An association, a CTE or a cached table; an unknown name gives a relation that knows no columns."""
    name = node.name
    alias = node.args.get("alias")
    relation = Relation(node.alias or name, node)
    if node.args.get("db") or node.args.get("catalog"):
        return _unknown(relation, report)
    if not isinstance(node.this, exp.Identifier) or extras(node, {"this", "alias"}):
        raise refusal(report, code, "This form of a table in FROM is not supported.", node)
    definition = definitions.get(name.lower())
    if definition is not None:
        columns = alias.args.get("columns") or [] if alias else []
        relation.query = definition.query
        relation.fields = _owned(relation, _renamed(definition.fields, columns, report, code))
        node.meta[DEFINITION] = definition.number
        return relation
    table = tables.get(name.lower())
    if table is None:
        return _unknown(relation, report)
    if alias and alias.args.get("columns"):
        raise refusal(report, code, "Columns of a table cannot be renamed in FROM.", node)
    relation.table = table
    for column in table.columns:
        base = BaseColumn(table.name.lower(), column.lower())
        only = frozenset([base])
        relation.fields.append(Field(column, Lineage(only, only, shown=only), relation, bases=only))
    return relation


def derived_relation(node: exp.Subquery, query: Query, alias: str, report: Report, code: str) -> Relation:
    """``(SELECT ...) alias``."""
    given = node.args.get("alias")
    relation = Relation(alias, node, query=query)
    columns = given.args.get("columns") or [] if given else []
    relation.fields = _owned(relation, outputs(query, columns, report, code))
    return relation


def values_relation(node: exp.Values, alias: str) -> Relation:
    """``VALUES (...)``: constants of the text, column by column."""
    first = node.expressions[0] if node.expressions else None
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    given = node.args.get("alias")
    names = [identifier.name for identifier in (given.args.get("columns") or [] if given else [])]
    if len(names) != width:
        names = [f"col{position + 1}" for position in range(width)]
        node.set(
            "alias",
            exp.TableAlias(
                this=exp.to_identifier(alias), columns=[exp.to_identifier(name) for name in names]
            ),
        )
    relation = Relation(alias, node)
    relation.fields = [Field(name, CONSTANT, relation) for name in names]
    return relation


def lateral_relation(node: exp.Lateral, block: Block, report: Report, code: str) -> Relation:
    """``LATERAL VIEW generator(...) alias AS column, ...``: its columns derive from all arguments."""
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or [] if alias else []
    wanted = _GENERATED.get(type(node.this))
    if alias is None or not node.args.get("view") or wanted is None or len(columns) != wanted:
        raise refusal(report, code, "This form of LATERAL is not supported.", node)
    if not alias.name:
        alias.set("this", exp.to_identifier(f"lateral_{len(block.relations) + 1}"))
    relation = Relation(alias.name, node)
    lineage = block.lineage(node.this)
    relation.fields = [Field(identifier.name, lineage, relation) for identifier in columns]
    return relation


def refusal(report: Report, code: str, message: str, *nodes: exp.Expression) -> RefusedError:
    """Report something that is not understood; raise what this returns: it must never be passed."""
    report.add(
        code, message, *nodes, rule="supported SQL", fix="Write the query with the documented constructs."
    )
    return RefusedError()


def _renamed(fields: list[Field], columns: list[exp.Identifier], report: Report, code: str) -> list[Field]:
    if columns and len(columns) != len(fields):
        raise refusal(report, code, "An alias lists more or fewer columns than there are.", *columns)
    names = [column.name for column in columns] or [item.name for item in fields]
    return [item.seen_as(name, None) for name, item in zip(names, fields, strict=True)]


def _owned(relation: Relation, fields: list[Field]) -> list[Field]:
    return [item.seen_as(item.name, relation) for item in fields]


def _unknown(relation: Relation, report: Report) -> Relation:
    report.add(
        "TABLE_UNKNOWN",
        f"Table {relation.node.sql(dialect='spark', comments=False)} is not associated with the collaboration.",
        relation.node,
        rule="tables are known by the name of their association, without a database",
        fix="Use the association's name.",
    )
    relation.fields = []
    relation.opaque = True
    return relation
