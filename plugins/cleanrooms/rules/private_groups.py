"""What the final SELECT of a query on private tables shows beside its aggregates: noise reaches only these.

A grouping key is the same for all rows of a group. Everything else that depends on a row, a nested query
that reads a column of the outer one included, would come out as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from cleanrooms.rules.flat import bare, boolean_atoms
from cleanrooms.rules.names import canonical
from cleanrooms.rules.scope import BaseColumn, Block, blocks, is_aggregate, local_nodes


def compared_columns(all_blocks: Sequence[Block], columns: set[BaseColumn]) -> set[BaseColumn]:
    """The columns, and those of other tables that a condition compares with one of them.

    A group of an open table's column that equals the user column of a private one is a user, and that it exists says
    that the user is in the private table. Equality has many dresses, so every comparison counts as one.
    """
    neighbours: dict[BaseColumn, set[BaseColumn]] = {}
    for together in (found for block in all_blocks for found in _compared(block)):
        for column in together:
            neighbours.setdefault(column, set()).update(together)
    found, waiting = set(columns), list(columns)
    while waiting:
        fresh = neighbours.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


def _compared(block: Block) -> Iterator[set[BaseColumn]]:
    """The columns in each condition that joins and WHERE combine."""
    conditions = [join.args.get("on") for join in block.node.args.get("joins") or []]
    where = block.node.args.get("where")
    for condition in [*conditions, where.this if where is not None else None]:
        for atom in boolean_atoms(condition, negatable=True) if condition is not None else []:
            columns = [node for node in local_nodes(atom) if isinstance(node, exp.Column)]
            yield set(block.lineage(*columns).shown)


def grouping_keys(block: Block) -> list[exp.Expression]:
    """The expressions that a SELECT groups by; a number stands for a select item."""
    group = block.node.args.get("group")
    items = block.node.expressions
    keys = []
    for key in group.expressions if group is not None else ():
        ordinal = isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(items)
        keys.append(bare(items[int(key.name) - 1] if ordinal else key))
    return keys


def outside_groups(block: Block) -> list[exp.Column]:
    """The columns of a SELECT that its output, HAVING or ORDER BY reads neither grouped nor aggregated."""
    node = block.node
    order = node.args.get("order")
    sorted_by = (
        [item.this for item in order.expressions if id(item) not in block.order_items] if order else []
    )
    roots = [item for item in (*node.expressions, node.args.get("having"), *sorted_by) if item is not None]
    keys = grouping_keys(block)
    by_size: dict[int, set[str]] = {}
    for key in keys:
        by_size.setdefault(sum(1 for _ in key.walk()), set()).add(canonical(key))
    sizes = _sizes(roots) if keys else {}
    own = _own_columns(block)
    found: list[exp.Column] = []
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:
        part, nested = waiting.pop()
        same = by_size.get(sizes.get(id(part), 0))
        if (same and canonical(part) in same) or (not nested and is_aggregate(part)):
            continue
        if isinstance(part, exp.Column):
            found += [part] if id(part) in own else []
            continue
        nested = nested or isinstance(part, exp.Query)
        waiting += [(child, nested) for child in reversed(list(_children(part)))]
    return found


def _own_columns(block: Block) -> set[int]:
    """The nodes that mean a column of this SELECT, also inside the queries that are nested in it."""
    relations = {id(relation) for relation in block.relations}
    found = set(block.resolved)
    for query in block.inner:
        for inner in blocks(query):
            found |= {node for node, target in inner.resolved.items() if id(target.relation) in relations}
    return found


def _sizes(roots: list[exp.Expression]) -> dict[int, int]:
    """How many nodes there are at and below each node."""
    nodes: list[exp.Expression] = []
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += _children(node)
    sizes: dict[int, int] = {}
    for node in reversed(nodes):
        sizes[id(node)] = 1 + sum(sizes[id(child)] for child in _children(node))
    return sizes


def _children(node: exp.Expression) -> Iterator[exp.Expression]:
    return (child for child in node.iter_expressions() if isinstance(child, exp.Expression))
