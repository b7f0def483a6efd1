"""Which columns of which tables a query reads, and which of them it sets equal. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from cleanrooms.rules.model import Table, Template
from cleanrooms.rules.parameters import bind_script
from cleanrooms.rules.parse import parse_script
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.resolve import Resolver
from cleanrooms.rules.scope import BaseColumn, Block, Query, blocks, local_nodes, set_blocks


@dataclass(frozen=True)
class References:
    """Columns by table, names in lower case.

    :param compared: pairs of columns of different tables of which one value must equal the other, in order
    """

    columns: frozenset[BaseColumn] = frozenset()
    compared: frozenset[tuple[BaseColumn, BaseColumn]] = frozenset()


def references(
    sql: str | None,
    tables: Mapping[str, Table],
    *,
    template: Template | None = None,
    parameters: Mapping[str, str] | None = None,
) -> References:
    """What a query reads; nothing where it cannot be understood (``check`` says why).

    :param sql: the query's text; None when a template is run
    """
    report = Report((template.sql if template is not None else sql) or "")
    resolver = Resolver(tables, report, "FROM_SHAPE")
    try:
        script = parse_script(report.text, report)
        bind_script(script, template.parameters if template is not None else None, parameters or {}, report)
        final = resolver.script(script)
    except (RefusedError, RecursionError):
        return References()
    roots = [*(definition.query for definition in resolver.definitions), final]
    found = {id(block): block for root in roots for block in blocks(root)}.values()
    columns = {c for block in found for field in block.resolved.values() for c in field.lineage.origins}
    pairs = {pair for block in found for pair in _equal(block)}
    pairs |= {pair for root in roots for pair in _set_equal(root)}
    return References(frozenset(columns), frozenset(pairs))


def _equal(block: Block) -> Iterator[tuple[BaseColumn, BaseColumn]]:
    for node in local_nodes(block.node.args.get("where"), *_conditions(block), *block.node.expressions):
        if isinstance(node, exp.EQ | exp.NullSafeEQ):
            yield from _pairs(block.lineage(node.this).flows, block.lineage(node.expression).flows)
        elif isinstance(node, exp.In) and node.args.get("query") is not None:
            inner = node.args["query"]
            while isinstance(inner, exp.Subquery):
                inner = inner.this
            query = block.inner_by_node.get(id(inner))
            if query is not None and query.fields:
                yield from _pairs(block.lineage(node.this).flows, query.fields[0].lineage.flows)
    for merged in block.merged.values():
        yield from _pairs(merged.lineage.flows, merged.lineage.flows)


def _conditions(block: Block) -> list[exp.Expression]:
    joins = block.node.args.get("joins") or []
    return [join.args["on"] for join in joins if join.args.get("on") is not None]


def _set_equal(query: Query) -> Iterator[tuple[BaseColumn, BaseColumn]]:
    for block in set_blocks(query):
        if isinstance(block.node, exp.Union):
            continue
        for left, right in zip(block.left.fields, block.right.fields, strict=False):
            yield from _pairs(left.lineage.flows, right.lineage.flows)


def _pairs(
    left: frozenset[BaseColumn], right: frozenset[BaseColumn]
) -> Iterator[tuple[BaseColumn, BaseColumn]]:
    if left == right:
        found = combinations(sorted(left, key=_order), 2)
        yield from (pair for pair in found if pair[0].table != pair[1].table)
        return
    for one in left:
        for other in right:
            if one.table != other.table:
                first, second = sorted((one, other), key=_order)
                yield first, second


def _order(column: BaseColumn) -> tuple[str, str]:
    return column.table, column.column
