"""Writes the constrained query: what an engine may run so that only permitted rows come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, UnsupportedError

from cleanrooms.rules.dialect import NullSafeOperator, ShortTrunc, SparkText
from cleanrooms.rules.flat import Clauses
from cleanrooms.rules.lambdas import rename_variables
from cleanrooms.rules.parse import Script, unwrapped
from cleanrooms.rules.relations import DEFINITION, Definition
from cleanrooms.rules.scope import Block, Query, SetBlock, blocks, set_blocks
from cleanrooms.rules.text import read, write

_NUMBERS = (
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal",
    "long",
    "short",
    "byte",
    "real",
)


def require_groups(clauses: Clauses) -> None:
    """Inject the output constraints of every table reference of an aggregation query.

    For each constraint ``COUNT(DISTINCT alias.column) >= minimum``, all together, beside the query's own
    HAVING in brackets; without GROUP BY the single row disappears when it fails.
    """
    conditions = [
        at_least(exp.column(column, table=relation.alias), minimum)
        for relation, _ in clauses.tables()
        for column, minimum in clauses.rule(relation).constraints
    ]
    add_having(clauses.block.node, conditions)


def at_least(identity: exp.Expression, minimum: int) -> exp.Expression:
    """``COUNT(DISTINCT identity) >= minimum``."""
    count = exp.Count(this=exp.Distinct(expressions=[identity]), big_int=True)
    return exp.GTE(this=count, expression=exp.Literal.number(minimum))


def add_having(node: exp.Select, conditions: list[exp.Expression]) -> None:
    """AND conditions to a HAVING clause; the clause's own condition keeps its meaning in brackets."""
    _add_condition(node, "having", exp.Having, conditions)


def add_where(node: exp.Select, conditions: list[exp.Expression]) -> None:
    """AND conditions to a WHERE clause; the clause's own condition keeps its meaning in brackets."""
    _add_condition(node, "where", exp.Where, conditions)


def _add_condition(
    node: exp.Select, part: str, clause: type[exp.Expression], conditions: list[exp.Expression]
) -> None:
    own = node.args.get(part)
    parts = [exp.Paren(this=own.this), *conditions] if own is not None else list(conditions)
    if parts:
        combined = parts[0]
        for condition in parts[1:]:
            combined = exp.And(this=combined, expression=condition)
        node.set(part, clause(this=combined))


def finish(script: Script, definitions: Sequence[Definition], query: Query, tables: set[str]) -> str:
    """The constrained text in Spark's dialect: one SELECT, cached tables written as WITH.

    Sort keys that name a result column become its position, result columns get their names, our own
    nodes become plain Spark, CTEs that bear a table's name get another one, and hints, on which no
    result depends, are left out.

    :raises sqlglot.errors.UnsupportedError: a part has no exact form in Spark's dialect
    """
    roots = [*(definition.query for definition in definitions), query]
    taken = {item.name.lower() for root in script.roots() for item in root.find_all(exp.Identifier)}
    for block in {id(block): block for root in roots for block in blocks(root)}.values():
        _plain_block(block)
        rename_variables(block.node, taken)
    for root in roots:
        for query_set in set_blocks(root):
            _sort_by_position(query_set)
    for item in {id(item): item for root in roots for item in _queries(root)}.values():
        _name_outputs(item)
    _rename(script, definitions, tables)
    if script.caches:
        _cached_as_with(script, script.query)
    text = write(script.query, SparkText, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    try:
        same = [_reads(script.query)] == [_reads(node) for node in read(text, SparkText) if node]
    except ParseError:
        same = False
    if not same:
        raise UnsupportedError("The text reads other columns than the query that it was written from.")
    return text


def _reads(query: exp.Expr) -> Counter[tuple[str, ...]]:
    """Every table and column that a query names: what is printed as it is could hold more than it should."""
    tables = ((node.name, node.db, node.alias) for node in query.find_all(exp.Table))
    columns = ((node.name, node.table) for node in query.find_all(exp.Column))
    return Counter[tuple[str, ...]]([*tables, *columns])


def _rename(script: Script, definitions: Sequence[Definition], tables: set[str]) -> None:
    """Some engines take a CTE of a table's name for a recursive one."""
    readers = [
        node for root in script.roots() for node in root.find_all(exp.Table) if DEFINITION in node.meta
    ]
    taken = set(tables)
    for number, definition in enumerate(definitions, start=1):
        fresh = definition.name
        while fresh.lower() in taken:
            fresh = f"{definition.name}_{number}"
            number += 1
        taken.add(fresh.lower())
        if fresh == definition.name:
            continue
        definition.identifier.set("this", fresh)
        for table in readers:
            if table.meta[DEFINITION] == definition.number:
                if not table.alias:
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(definition.name)))
                table.this.set("this", fresh)


def _plain_block(block: Block) -> None:
    block.node.set("hint", None)
    for join in block.node.args.get("joins") or []:
        if join.args.get("side") and not join.args.get("on") and not join.args.get("using"):
            join.set("on", exp.true())  # Spark's outer join without a condition, which other engines need
    _sort_by_position(block)
    for operator in list(block.node.find_all(NullSafeOperator)):
        operator.replace(exp.NullSafeEQ(this=operator.this, expression=operator.expression))
    for call in list(block.node.find_all(ShortTrunc)):
        if call.find_ancestor(exp.Select) is block.node:
            call.replace(_truncated(call, block))


def _truncated(node: ShortTrunc, block: Block) -> exp.Expression:
    value, digits = node.this, node.args.get("decimals")
    if digits is not None:
        scale = exp.Pow(this=exp.Literal.number(10), expression=digits)
        whole = exp.cast(exp.Mul(this=exp.Paren(this=value), expression=scale), "bigint")
        return exp.Paren(this=exp.Div(this=whole, expression=scale.copy()))
    return exp.TryCast(this=value, to=exp.DataType.build("bigint" if _is_number(value, block) else "date"))


def _is_number(node: exp.Expression, block: Block) -> bool:
    """Whether TRUNC's argument is a number: a column by its type, an expression by what it is made of."""
    column = node if isinstance(node, exp.Column) else node.find(exp.Column)
    target = block.field_of(column) if column is not None else None
    table = target.relation.table if target is not None and target.relation is not None else None
    if table is None or target is None:
        return isinstance(node, exp.Literal) and not node.is_string
    kind = next((text for name, text in table.columns.items() if name.lower() == target.name.lower()), "")
    return kind.lower().startswith(_NUMBERS)


def _sort_by_position(query: Query) -> None:
    order = query.node.args.get("order")
    for ordered in order.expressions if order is not None else []:
        position = query.order_items.get(id(ordered))
        if position is not None:
            ordered.set("this", exp.Literal.number(position + 1))


def _queries(root: Query) -> Iterator[Query]:
    """A query and those in the FROM clauses of it: the queries whose columns have names that are read."""
    yield root
    yield from (item.query for block in blocks(root) for item in block.relations if item.query is not None)


def _name_outputs(query: Query) -> None:
    """Alias the unnamed expressions of a query's (first) SELECT, so that every engine names them alike."""
    while isinstance(query, SetBlock):
        query = query.left
    items = query.node.expressions
    named = [
        item
        if isinstance(item, exp.Alias) or (isinstance(item, exp.Column) and item.name == field.name)
        else exp.Alias(this=item, alias=exp.to_identifier(field.name, quoted=True))
        for item, field in zip(items, query.fields, strict=False)
    ]
    query.node.set("expressions", [*named, *items[len(named) :]])


def _cached_as_with(script: Script, tree: exp.Expression) -> None:
    tables = [
        exp.CTE(
            # What the statement holds by now: a UNION may have got a SELECT around it.
            this=unwrapped(cached.node.args["expression"]),
            alias=exp.TableAlias(this=cached.name.copy()),
        )
        for cached in script.caches
    ]
    own = tree.args.get("with_")
    tree.set("with_", exp.With(expressions=[*tables, *(own.expressions if own else [])]))
