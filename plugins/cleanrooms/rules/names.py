"""Columns of a SELECT: looking them up, replacing aliases, and the fields of its result."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.scope import Block, Field, is_aggregate, local_nodes
from cleanrooms.rules.text import write

MAX_COPIED = 20_000
"""Nodes of the syntax tree that aliases may add to one SELECT: each use doubles what it stands for."""


def resolve_column(
    block: Block, node: exp.Column, aliases: Mapping[str, exp.Expression], report: Report
) -> exp.Expression | None:
    """Find what a column of a SELECT means and qualify it; an alias is replaced by what it stands for.

    :param aliases: what the select list has named so far; a column of FROM hides an alias
    :return: what was written in an alias's place: nested queries in it are still to be resolved
    """
    level: Block | None = block
    while level is not None:
        found = _candidates(level, node)
        if len(found) > 1 or (found and _is_captured(block, level, found[0])):
            _ambiguous(node, report)
            return None
        if found:
            _qualify(block, node, found[0])
            return None
        alias = aliases.get(node.name.lower()) if level is block and not node.table else None
        if alias is not None:
            return _substitute(block, node, alias, report)
        inner = _struct_column(level, node)
        if inner is not None:
            return resolve_column(block, inner, {}, report)
        if any(relation.opaque for relation in level.relations):
            return None
        level = level.parent
    report.add(
        "COLUMN_UNKNOWN",
        f"Column(s) [{node.name}] cannot be found: not an allowed column of a table in the query.",
        node,
        rule="allowedColumns of the configured table",
        fix="Use a column that the table's schema in the collaboration lists.",
    )
    return None


def _qualify(block: Block, node: exp.Column, target: Field) -> None:
    block.resolved[id(node)] = target
    if target.relation is not None:
        node.meta["qualified"] = not node.table
        written = node.args.get("table")
        node.set("table", exp.to_identifier(target.relation.alias))
        if written is not None:
            node.args["table"].meta.update(written.meta)


def _struct_column(level: Block, node: exp.Column) -> exp.Column | None:
    """The column in ``column.field`` or ``alias.column.field``, which the parser reads as ``table.column``.

    The node is replaced by an access to the field of what is returned, which stands in brackets: without
    them ``alias.column.field`` may be a column ``field`` of a table ``column`` in a schema ``alias``.
    """
    parts = [part for part in node.parts if isinstance(part, exp.Identifier)]
    for size in (2, 1):
        if size >= len(parts):
            continue
        column = exp.Column(this=parts[size - 1].copy(), table=parts[size - 2].copy() if size == 2 else None)
        found = _candidates(level, column)
        if len(found) == 1 and _may_be_struct(found[0]):
            access: exp.Expression = exp.Paren(this=column)
            for part in parts[size:]:
                access = exp.Dot(this=access, expression=part.copy())
            node.replace(access)
            return column
    return None


def _may_be_struct(target: Field) -> bool:
    table = target.relation.table if target.relation is not None else None
    if table is None:
        return True
    kind = next((kind for name, kind in table.columns.items() if name.lower() == target.name.lower()), "")
    return kind.lower().startswith(("struct", "map"))


def _ambiguous(node: exp.Expression, report: Report) -> None:
    report.add(
        "AMBIGUOUS",
        f"Column {node.name or node.this.name} is ambiguous.",
        node,
        fix="Write the table's alias before the column.",
    )


def _candidates(level: Block, node: exp.Column) -> list[Field]:
    """The fields of one SELECT that a column can mean; more than one is ambiguous."""
    if node.args.get("db") or node.args.get("catalog"):
        return []
    if node.table:
        named = level.relation(node.table.lower())
        return named.named(node.name) if named is not None and id(named) not in level.invisible else []
    visible = [relation for relation in level.relations if id(relation) not in level.invisible]
    merged = level.merged.get(node.name.lower())
    return [merged] if merged else [item for side in visible for item in side.named(node.name)]


def _is_captured(block: Block, level: Block, target: Field) -> bool:
    """Whether an engine could take an outer query's field for something of a query in between.

    It could when an alias is used again inside, or for a merged column, which has no alias to write.
    """
    current: Block | None = block
    while current is not None and current is not level:
        if target.relation is None or current.relation(target.relation.key) is not None:
            return True
        current = current.parent
    return False


def _substitute(block: Block, node: exp.Column, expression: exp.Expression, report: Report) -> exp.Expression:
    """Write the aliased expression in the alias's place: an engine might know a column of that name."""
    size = sum(1 for _ in expression.walk())
    block.copied += size
    if block.copied > MAX_COPIED:
        report.add(
            "PARSE",
            "Aliases that stand for one another make the query too large.",
            node,
            fix="Compute in a common table expression and refer to its columns.",
        )
        raise RefusedError
    copy = expression.copy()
    for original, duplicate in zip(local_nodes(expression), local_nodes(copy), strict=True):
        if id(original) in block.resolved:
            block.resolved[id(duplicate)] = block.resolved[id(original)]
    simple = isinstance(copy, exp.Column | exp.Func | exp.Literal | exp.Paren)
    node.replace(copy if simple else exp.Paren(this=copy))
    return copy


def output_field(block: Block, name: str, item: exp.Expression) -> Field:
    """A select item as a field of the SELECT's result."""
    expression: exp.Expression = item.this if isinstance(item, exp.Alias) else item
    lineage = block.lineage(item)
    if isinstance(expression, exp.Column):
        target = block.field_of(expression)
        if target is None:
            return Field(name, lineage)
        shown = target.seen_as(name, None)
        shown.nullable = bool(target.bases) and block.may_be_missing(target)
        return shown
    aggregated = is_aggregate(expression) or isinstance(expression, exp.Window)
    return Field(name, lineage, computed=bool(lineage.origins) and not aggregated)


def output_position(ordered: exp.Expression, fields: list[Field], report: Report) -> int | None:
    """The result column that a sort key means by its number or its bare name, counted from 0; None: no column."""
    positions = _output_positions(ordered, fields)
    if len(positions) > 1:
        _ambiguous(ordered, report)
    return positions[0] if positions else None


def _output_positions(ordered: exp.Expression, fields: list[Field]) -> list[int]:
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
    return write(shown, unsupported_level=ErrorLevel.IGNORE)
