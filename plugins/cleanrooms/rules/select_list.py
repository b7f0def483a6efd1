"""The select list: stars written out, and the names that a result's columns get."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from cleanrooms.rules.scope import Block, Relation, local_nodes
from cleanrooms.rules.text import write


def expand_stars(block: Block) -> Iterator[tuple[str, exp.Expression]]:
    """Replace ``*``, ``t.*`` and stars inside functions by columns; yields what cannot be replaced.

    ``COUNT(*)`` stays. Which stars there were is kept in ``block.stars``.
    """
    items: list[exp.Expression] = []
    for item in block.node.expressions:
        if not _is_star(item):
            yield from _inside(block, item)
            items.append(item)
            continue
        block.stars.append(item)
        columns = _columns(block, item)
        if columns is None:
            yield "This form of * is not supported.", item
        items += columns or []
    block.node.set("expressions", items)


def output_name(item: exp.Expression) -> str:
    """The name of a result column: its alias, its column's name, or the expression as Spark prints it."""
    if isinstance(item, exp.Alias):
        return item.alias
    if isinstance(item, exp.Column):
        return item.name
    shown = item.copy()
    for column in shown.find_all(exp.Column):
        column.set("table", None)
    return write(shown, normalize_functions="lower", unsupported_level=ErrorLevel.IGNORE)


def _is_star(node: exp.Expression) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _inside(block: Block, item: exp.Expression) -> Iterator[tuple[str, exp.Expression]]:
    for node in list(local_nodes(item)):
        if not _is_star(node) or isinstance(node.parent, exp.Column):
            continue
        if isinstance(node, exp.Star) and isinstance(node.parent, exp.Count):
            continue
        block.stars.append(node)
        among_others = node.arg_key == "expressions" and node.index is not None
        columns = _columns(block, node) if among_others else None
        if not columns or node.parent is None:
            yield "This form of * is not supported.", node
            continue
        siblings: list[exp.Expression] = []
        for sibling in node.parent.expressions:
            siblings += columns if sibling is node else [sibling]
        node.parent.set("expressions", siblings)


def _columns(block: Block, star: exp.Expression) -> list[exp.Expression] | None:
    inner = star.this if isinstance(star, exp.Column) else star
    if any(inner.args.get(part) for part in ("replace", "rename", "ilike")):
        return None
    excluded = {column.name.lower() for column in inner.args.get("except_") or []}
    relations = _starred(block, star)
    if relations is None:
        return None
    pairs: list[tuple[str | None, str]] = []
    if not isinstance(star, exp.Column):
        pairs = [(None, item.name) for item in block.merged.values()]
    skipped = {name for _, name in pairs}
    for relation in relations:
        pairs += [(relation.alias, item.name) for item in relation.fields if item.name.lower() not in skipped]
    meta = next((part.meta for part in star.walk() if "start" in part.meta), {})
    return [_column(table, name, meta) for table, name in pairs if name.lower() not in excluded]


def _starred(block: Block, star: exp.Expression) -> list[Relation] | None:
    visible = [relation for relation in block.relations if id(relation) not in block.invisible]
    if isinstance(star, exp.Column):
        visible = [relation for relation in visible if relation.key == star.table.lower()]
    return visible or None


def _column(table: str | None, name: str, meta: dict[str, int]) -> exp.Column:
    identifier = exp.to_identifier(name)
    identifier.meta.update(meta)
    return exp.Column(this=identifier, table=exp.to_identifier(table))
