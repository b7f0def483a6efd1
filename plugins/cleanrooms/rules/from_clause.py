"""Reads the FROM clause of a SELECT: its relations, its joins, and the columns that joins merge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from cleanrooms.rules.model import Table
from cleanrooms.rules.parse import extras
from cleanrooms.rules.relations import (
    Definitions,
    derived_relation,
    lateral_relation,
    refusal,
    table_relation,
    values_relation,
)
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import Block, Query, Relation

_JOINS = {
    "method": {"", "NATURAL"},
    "side": {"", "LEFT", "RIGHT", "FULL"},
    "kind": {"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"},
}

ReadClause = Callable[[Block, Definitions, exp.Expression | None], None]
"""Resolves the names of an expression within a SELECT."""

ReadQuery = Callable[[exp.Expression, Definitions], Query]
"""Resolves a derived table, which sees the definitions, no outer columns."""


class FromClauses:
    """Reads FROM clauses; ``used`` collects the associations that they name, in order.

    :param code: reported for constructs that cannot be understood; the resolver sets it
    """

    def __init__(
        self, tables: Mapping[str, Table], report: Report, code: str, clause: ReadClause, query: ReadQuery
    ) -> None:
        self.tables = {name.lower(): table for name, table in tables.items()}
        self.report = report
        self.code = code
        self.used: dict[str, Table] = {}
        self._clause, self._query = clause, query
        self._unnamed = 0

    def read(self, block: Block, known: Definitions) -> None:
        """Add the relations of a SELECT to its block.

        :raises RefusedError: an item cannot be understood; the report says which
        """
        clause = block.node.args.get("from_")
        if clause is not None:
            self._add(block, self._relation(clause.this, block, known))
        for join in block.node.args.get("joins") or []:
            self._join(block, join, known)
        for lateral in block.node.args.get("laterals") or []:
            self._clause(block, known, lateral.this)
            self._add(block, lateral_relation(lateral, block, self.report, self.code))

    def _join(self, block: Block, join: exp.Join, known: Definitions) -> None:
        if extras(join, {"this", "on", "using", "side", "kind", "method"}) or not _is_known(join):
            raise refusal(self.report, self.code, "This form of JOIN is not supported.", join)
        left = [relation for relation in block.relations if id(relation) not in block.invisible]
        relation = self._relation(join.this, block, known)
        self._add(block, relation)
        names = [identifier.name for identifier in join.args.get("using") or []]
        if (join.args.get("method") or "").upper() == "NATURAL":
            right = {item.name.lower() for item in relation.fields}
            shared = (item.name for side in left for item in side.fields if item.name.lower() in right)
            names = list(dict.fromkeys(shared))
            join.set("method", None)
            join.set("using", [exp.to_identifier(name) for name in names])
        for name in names:
            self._merge(block, join, left, relation, name)
        self._clause(block, known, join.args.get("on"))
        if (join.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
            block.invisible.add(id(relation))

    def _merge(self, block: Block, join: exp.Join, left: list[Relation], right: Relation, name: str) -> None:
        earlier = [block.merged[name.lower()]] if name.lower() in block.merged else []
        found = earlier or [item for side in left for item in side.named(name)]
        other = right.named(name)
        if len(found) != 1 or len(other) != 1:
            if not any(side.opaque for side in [*left, right]):
                raise refusal(
                    self.report, "AMBIGUOUS", f"Column {name} does not stand once on each side.", join
                )
            return
        block.merged[name.lower()] = found[0].merged(other[0], name)

    def _relation(self, node: exp.Expression, block: Block, known: Definitions) -> Relation:
        if isinstance(node, exp.Table):
            relation = table_relation(node, self.tables, known, self.report, self.code)
            if relation.table is not None:
                self.used.setdefault(relation.table.name.lower(), relation.table)
            return relation
        self._unnamed += 1
        alias = node.alias or f"unnamed_{self._unnamed}"
        if isinstance(node, exp.Values) and not extras(node, {"expressions", "alias"}):
            return self._values(node, alias, known, block)
        if isinstance(node, exp.Subquery) and not extras(node, {"this", "alias", "with_"}):
            return self._derived(node, alias, known)
        raise refusal(self.report, self.code, "This item of FROM is not supported.", node)

    def _values(self, node: exp.Values, alias: str, known: Definitions, block: Block) -> Relation:
        """Rows of constants: a nested query would bring a table's values in as such."""
        constants = Block(block.node)
        for row in node.expressions:
            self._clause(constants, known, row)
        if constants.inner:
            raise refusal(self.report, self.code, "VALUES takes constants only.", node)
        return values_relation(node, alias)

    def _derived(self, node: exp.Subquery, alias: str, known: Definitions) -> Relation:
        if isinstance(node.this, exp.Table | exp.Values):
            raise refusal(self.report, self.code, "Brackets around tables are not supported in FROM.", node)
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return derived_relation(node, self._query(node, known), alias, self.report, self.code)

    def _add(self, block: Block, relation: Relation) -> None:
        if block.relation(relation.key) is not None:
            raise refusal(
                self.report, "AMBIGUOUS", f"Two items of FROM are called {relation.alias}.", relation.node
            )
        block.relations.append(relation)


def _is_known(join: exp.Join) -> bool:
    """Whether a join is one of Spark's: the parser knows those of other engines, too."""
    return all((join.args.get(part) or "").upper() in words for part, words in _JOINS.items())
