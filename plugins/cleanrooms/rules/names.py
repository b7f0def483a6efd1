"""Columns of a SELECT: looking them up, replacing aliases, and the fields of its result."""

from __future__ import annotations

from sqlglot import exp

from cleanrooms.rules.dialect import CleanRooms
from cleanrooms.rules.scope import Block, Field, is_aggregate, local_nodes


def candidates(level: Block, node: exp.Column) -> list[Field]:
    """The fields of one SELECT that a column can mean; more than one is ambiguous."""
    if node.args.get("db") or node.args.get("catalog"):
        return []
    visible = [relation for relation in level.relations if id(relation) not in level.invisible]
    if node.table:
        named = [relation for relation in visible if relation.key == node.table.lower()]
        return [item for relation in named for item in relation.named(node.name)]
    merged = level.merged.get(node.name.lower())
    return [merged] if merged else [item for side in visible for item in side.named(node.name)]


def is_captured(block: Block, level: Block, target: Field) -> bool:
    """Whether an engine could take an outer query's field for something of a query in between.

    It could when an alias is used again inside, or for a merged column, which has no alias to write.
    """
    current: Block | None = block
    while current is not None and current is not level:
        if target.relation is None or any(item.key == target.relation.key for item in current.relations):
            return True
        current = current.parent
    return False


def substitute(block: Block, node: exp.Column, expression: exp.Expression) -> None:
    """Write the aliased expression in the alias's place: an engine might know a column of that name."""
    copy = expression.copy()
    for original, duplicate in zip(local_nodes(expression), local_nodes(copy), strict=True):
        if id(original) in block.resolved:
            block.resolved[id(duplicate)] = block.resolved[id(original)]
        if id(original) in block.inner_by_node:
            block.inner_by_node[id(duplicate)] = block.inner_by_node[id(original)]
    simple = isinstance(copy, exp.Column | exp.Func | exp.Literal | exp.Paren)
    node.replace(copy if simple else exp.Paren(this=copy))


def output_field(block: Block, name: str, item: exp.Expression) -> Field:
    """A select item as a field of the SELECT's result."""
    expression: exp.Expression = item.this if isinstance(item, exp.Alias) else item
    lineage = block.lineage(item)
    if isinstance(expression, exp.Column):
        target = block.field_of(expression)
        return Field(name, lineage, computed=target.computed if target else False)
    aggregated = is_aggregate(expression) or isinstance(expression, exp.Window)
    return Field(name, lineage, computed=bool(lineage.flows) and not aggregated)


def output_positions(ordered: exp.Expression, fields: list[Field]) -> list[int]:
    """The result columns that a sort key can mean by its number or its bare name, counted from 0."""
    key = ordered.this if isinstance(ordered, exp.Ordered) else ordered
    if isinstance(key, exp.Literal) and key.is_int:
        return [int(key.name) - 1] if 1 <= int(key.name) <= len(fields) else []
    if not isinstance(key, exp.Column) or key.table or isinstance(key.this, exp.Star):
        return []
    return [at for at, item in enumerate(fields) if item.name.lower() == key.name.lower()]


def canonical(node: exp.Expression) -> str:
    """A text that is equal for expressions which mean the same: names without case and quotes."""
    shown = node.copy()
    for identifier in shown.find_all(exp.Identifier):
        identifier.replace(exp.to_identifier(identifier.name.lower(), quoted=True))
    return shown.sql(CleanRooms)
