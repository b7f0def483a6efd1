"""Writes UNION as UNION ALL inside a grouped SELECT: what is added to the legs does not change its rows."""

from __future__ import annotations

from sqlglot import exp

from cleanrooms.rules.scope import Block, Query, SetBlock


def keep_all_inside(query: SetBlock) -> None:
    """Let the legs of a UNION that are UNIONs themselves keep their duplicates, which it removes anyway."""
    waiting: list[Query] = [query.left, query.right]
    while waiting:
        leg = waiting.pop()
        if isinstance(leg, SetBlock) and not any(leg.node.args.get(part) for part in ("limit", "offset")):
            leg.node.set("distinct", False)
            waiting += [leg.left, leg.right]


def grouped(query: SetBlock, alias: str, hidden: str) -> exp.Select | None:
    """Replace a UNION in its tree by a SELECT of its columns, grouped by them.

    :param alias: of the derived table that the UNION ALL becomes
    :param hidden: the last column of both legs, which is neither selected nor a key
    :return: the SELECT; None, and nothing is changed, when two columns have the same name
    """
    names = [item.name for item in query.fields]
    if len({name.lower() for name in names} | {hidden.lower()}) != len(names) + 1:
        return None
    _name(_first(query))
    union = query.node
    keys = [exp.column(_quoted(name), table=_quoted(alias)) for name in names]
    outer = exp.Select(expressions=keys, group=exp.Group(expressions=[key.copy() for key in keys]))
    outer.set("with_", union.args.get("with_"))
    union.set("with_", None)
    union.set("distinct", False)
    union.set("order", None)
    union.replace(outer)
    source = exp.Subquery(this=union, alias=exp.TableAlias(this=_quoted(alias)))
    outer.set("from_", exp.From(this=source))
    return outer


def _first(query: Query) -> Block:
    while isinstance(query, SetBlock):
        query = query.left
    return query


def _name(block: Block) -> None:
    """The first leg's names are the UNION's: give one to each expression that has none."""
    items = block.node.expressions
    for at, (item, field) in enumerate(zip(items, block.fields, strict=False)):
        if not isinstance(item, exp.Alias | exp.Column):
            items[at] = exp.Alias(this=item, alias=_quoted(field.name))
    block.node.set("expressions", items)


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
