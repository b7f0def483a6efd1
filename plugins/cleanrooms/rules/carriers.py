"""Where the identities of protected tables are carried, and the conditions that count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from cleanrooms.rules.constraints import at_least
from cleanrooms.rules.flat import bare
from cleanrooms.rules.names import canonical
from cleanrooms.rules.roles import Threshold
from cleanrooms.rules.scope import Block


@dataclass(frozen=True)
class Carrier:
    """Where the identities of one protected reference are found in the rows of a SELECT.

    :param many: the column holds a set of identities, not one
    """

    table: str
    alias: str
    column: str
    many: bool
    threshold: Threshold

    def value(self) -> exp.Column:
        """The carrying column."""
        return exp.column(exp.to_identifier(self.column), table=exp.to_identifier(self.alias))


def is_key(block: Block, value: exp.Expression) -> bool:
    """Whether a SELECT groups by a value."""
    group = block.node.args.get("group")
    items = block.node.expressions
    for key in group.expressions if group is not None else []:
        if isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(items):
            key = items[int(key.name) - 1]
        if canonical(bare(key)) == canonical(value):
            return True
    return False


def row_condition(carrier: Carrier, minimum: int) -> exp.Expression:
    """A row of one identity meets a minimum of one; a row of a set has the set's size."""
    count: exp.Expression = exp.ArraySize(this=carrier.value()) if carrier.many else number(1)
    return exp.GTE(this=count, expression=number(minimum))


def group_condition(carrier: Carrier, minimum: int) -> exp.Expression:
    """A group counts the identities of its rows."""
    if not carrier.many:
        return at_least(carrier.value(), minimum)
    size = exp.ArraySize(this=union_of_sets(carrier.value()))
    return exp.GTE(this=size, expression=number(minimum))


def union_of_sets(value: exp.Expression) -> exp.Expression:
    """All identities in the sets of a group's rows."""
    return exp.ArrayDistinct(this=exp.Flatten(this=exp.ArrayAgg(this=value)))


def extend_alias(node: exp.Expression, root: exp.Expression, offered: Sequence[Carrier]) -> None:
    """Name the hidden columns where an alias lists the columns: in FROM, and in WITH."""
    owner = root.parent
    while isinstance(owner, exp.Subquery):
        owner = owner.parent
    for holder in (node, owner if isinstance(owner, exp.CTE) else None):
        alias = holder.args.get("alias") if holder is not None else None
        if alias is None or not alias.args.get("columns"):
            continue
        known = {identifier.name for identifier in alias.args["columns"]}
        for item in offered:
            if item.column not in known:
                alias.append("columns", exp.to_identifier(item.column))


def number(value: int) -> exp.Expression:
    """A whole number of the constrained query."""
    return exp.Literal.number(value)
