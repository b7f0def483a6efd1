"""What a query's names mean: relations, their fields, and where each field's value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from cleanrooms.rules.functions import asks, keeps_values
from cleanrooms.rules.model import Table


@dataclass(frozen=True, slots=True)
class BaseColumn:
    """A column of an association; both names in lower case."""

    table: str
    column: str


@dataclass(frozen=True)
class Lineage:
    """Where a value comes from.

    :param origins: every column that the value derives from
    :param flows: the columns of which a single row's value may still be recognised in it
    :param literal: whether constants of the query's text are part of it
    :param shown: those of ``flows`` whose value is part of it, not only the answer to a condition on it
    """

    origins: frozenset[BaseColumn] = frozenset()
    flows: frozenset[BaseColumn] = frozenset()
    literal: bool = False
    shown: frozenset[BaseColumn] = frozenset()

    def __or__(self, other: Lineage) -> Lineage:
        return Lineage(
            self.origins | other.origins,
            self.flows | other.flows,
            self.literal or other.literal,
            self.shown | other.shown,
        )


NOTHING = Lineage()
CONSTANT = Lineage(literal=True)


@dataclass(eq=False)
class Field:
    """One column of a relation or of a query's result.

    :param relation: the item of FROM that it belongs to; None for merged columns and results
    :param computed: a scalar expression over columns or aggregates made it, not a table or an aggregate
    :param bases: the columns of which it is a plain copy, one per leg of a set operation; empty: none
    :param nullable: an outer join may have put NULL in the place of that copy
    """

    name: str
    lineage: Lineage
    relation: Relation | None = None
    computed: bool = False
    bases: frozenset[BaseColumn] = frozenset()
    nullable: bool = False

    def seen_as(self, name: str, relation: Relation | None) -> Field:
        """The same value under another name, in another relation."""
        return Field(name, self.lineage, relation, self.computed, self.bases, self.nullable)

    def merged(self, other: Field, name: str) -> Field:
        """What USING or a set operation makes of two fields."""
        both = bool(self.bases and other.bases)
        bases = self.bases | other.bases if both else frozenset()
        nullable, computed = self.nullable or other.nullable, self.computed or other.computed
        return Field(name, self.lineage | other.lineage, computed=computed, bases=bases, nullable=nullable)


@dataclass(eq=False)
class Relation:
    """One item of a FROM clause.

    :param alias: the name under which its columns are referred to, as written
    :param table: the association, when the item is one
    :param query: what a derived table or common table expression consists of
    :param opaque: its columns are not known (and the reason was reported)
    """

    alias: str
    node: exp.Expression
    fields: list[Field] = field(default_factory=list)
    table: Table | None = None
    query: Block | SetBlock | None = None
    opaque: bool = False

    @property
    def key(self) -> str:
        """The alias as it is compared."""
        return self.alias.lower()

    def named(self, name: str) -> list[Field]:
        """The fields of that name (more than one where a derived table repeats a name)."""
        return [item for item in self.fields if item.name.lower() == name.lower()]


@dataclass(eq=False)
class Block:
    """One SELECT; ``copied`` counts the nodes that aliases have added to it."""

    node: exp.Select
    parent: Block | None = None
    relations: list[Relation] = field(default_factory=list)
    invisible: set[int] = field(default_factory=set)
    merged: dict[str, Field] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    stars: list[exp.Expression] = field(default_factory=list)
    resolved: dict[int, Field] = field(default_factory=dict)
    order_items: dict[int, int] = field(default_factory=dict)
    inner: list[Block | SetBlock] = field(default_factory=list)
    inner_by_node: dict[int, Block | SetBlock] = field(default_factory=dict)
    copied: int = 0

    def relation(self, key: str) -> Relation | None:
        """The item of FROM with that alias in lower case; aliases are unique."""
        return next((item for item in self.relations if item.key == key), None)

    def field_of(self, column: exp.Column) -> Field | None:
        """What a column of this SELECT means; None when it was not understood (and reported)."""
        return self.resolved.get(id(column))

    def may_be_missing(self, target: Field) -> bool:
        """Whether an outer join, of this SELECT or below it, may give NULL instead of the column's value."""
        missing = target.nullable
        at = next((at for at, item in enumerate(self.relations) if item is target.relation), 0)
        by_node = {id(item.node): position for position, item in enumerate(self.relations)}
        for join in self.node.args.get("joins") or []:
            side, joined = join.args.get("side"), by_node.get(id(join.this), 0)
            missing = missing or (side in ("LEFT", "FULL") and at == joined)
            missing = missing or (side in ("RIGHT", "FULL") and at < joined)
        return missing

    def lineage(self, *expressions: exp.Expression | None) -> Lineage:
        """Where the value of the expressions comes from, nested queries included."""
        return lineage_of(self, expressions)

    def grouped(self) -> bool:
        """Whether rows are aggregated: by GROUP BY, or by an aggregate anywhere in SELECT or HAVING."""
        if self.node.args.get("group") or self.node.args.get("having"):
            return True
        return any(is_aggregate(part) for item in self.node.expressions for part in local_nodes(item))


@dataclass(eq=False)
class SetBlock:
    """UNION, INTERSECT or EXCEPT of two queries."""

    node: exp.SetOperation
    left: Block | SetBlock
    right: Block | SetBlock
    fields: list[Field] = field(default_factory=list)
    order_items: dict[int, int] = field(default_factory=dict)


Query = Block | SetBlock


def blocks(query: Query) -> Iterator[Block]:
    """Every SELECT of a query: its legs, derived tables, CTEs that it uses and nested queries."""
    waiting, seen = [query], set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, SetBlock):
            waiting += [current.right, current.left]
            continue
        yield current
        waiting += reversed([*current.inner, *(r.query for r in current.relations if r.query)])


def set_blocks(query: Query) -> Iterator[SetBlock]:
    """Every set operation of a query, derived tables, CTEs that it uses and nested queries included."""
    waiting, seen = [query], set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, SetBlock):
            yield current
            waiting += [current.right, current.left]
        else:
            waiting += reversed([*current.inner, *(r.query for r in current.relations if r.query)])


def final_blocks(query: Query) -> Iterator[Block]:
    """The SELECTs whose projection is the query's projection: one, or one per leg."""
    waiting = [query]
    while waiting:
        current = waiting.pop()
        if isinstance(current, SetBlock):
            waiting += [current.right, current.left]
        else:
            yield current


def local_nodes(*roots: exp.Expression | None) -> Iterator[exp.Expression]:
    """The nodes below the roots, without hints, not going into nested queries (which are themselves yielded)."""
    waiting = [root for root in reversed(roots) if root is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Hint):
            continue
        yield node
        if not isinstance(node, exp.Select | exp.SetOperation):
            waiting += reversed(
                [part for part in node.iter_expressions() if isinstance(part, exp.Expression)]
            )


def is_aggregate(node: exp.Expression) -> bool:
    """Whether a node aggregates the rows of its SELECT (a window function does not)."""
    if not isinstance(node, exp.AggFunc):
        return False
    child: exp.Expression = node
    while isinstance(child.parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        child = child.parent
    return not (isinstance(child.parent, exp.Window) and child.parent.this is child)


def lineage_of(block: Block, roots: Iterable[exp.Expression | None]) -> Lineage:
    """See :meth:`Block.lineage`. Iterative: expressions can be thousands of levels deep."""
    origins: set[BaseColumn] = set()
    flows: set[BaseColumn] = set()
    shown: set[BaseColumn] = set()
    literal = False
    waiting = [(root, True, True) for root in roots if root is not None]
    while waiting:
        node, kept, told = waiting.pop()
        found = NOTHING
        if isinstance(node, exp.Column):
            target = block.field_of(node)
            found = target.lineage if target else NOTHING
        elif isinstance(node, exp.Select | exp.SetOperation):
            inner = block.inner_by_node.get(id(node))
            found = everything(inner) if inner else NOTHING
        elif isinstance(node, exp.Literal | exp.Boolean | exp.RawString | exp.HexString):
            found = CONSTANT
        elif isinstance(node, exp.Window):
            # The keys order and cut the rows; only the function's own operand is seen in its result.
            keys = [part for part in node.iter_expressions() if isinstance(part, exp.Expression)]
            waiting += [(part, kept and part is node.this, told and part is node.this) for part in keys]
        else:
            below = kept and keeps_values(node)
            waiting += [
                (child, below, told and below and not asks(node, child))
                for child in node.iter_expressions()
                if isinstance(child, exp.Expression)
            ]
        origins |= found.origins
        if kept:
            flows |= found.flows
            literal = literal or found.literal
        if told:
            shown |= found.shown
    return Lineage(frozenset(origins), frozenset(flows), literal, frozenset(shown))


def everything(query: Query) -> Lineage:
    """All columns that a nested query reads, filters included: its answer tells about each of them."""
    origins: set[BaseColumn] = set()
    for block in blocks(query):
        for target in block.resolved.values():
            origins |= target.lineage.origins
    shown = NOTHING
    for item in query.fields:
        shown |= item.lineage
    return Lineage(frozenset(origins | shown.origins), shown.flows, shown.literal, shown.shown)
