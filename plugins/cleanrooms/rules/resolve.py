"""Gives every name of a query its meaning, so that rules are checked on columns and never on aliases.

Spark's rules for names, made strict: an ambiguous name is refused, an alias never hides a column except
as a sort key, stars are written out, and a table's columns are only those that its owner allowed.
Afterwards each column in the tree is qualified by its relation's alias, so that no engine can read
the text in another way.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from cleanrooms.rules.model import Table
from cleanrooms.rules.names import candidates, is_captured, output_field, output_positions, substitute
from cleanrooms.rules.parse import Script, extras, unwrapped
from cleanrooms.rules.relations import (
    Definition,
    Definitions,
    derived_relation,
    lateral_relation,
    outputs,
    refusal,
    table_relation,
    values_relation,
)
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import (
    Block,
    Field,
    Query,
    Relation,
    SetBlock,
    local_nodes,
)
from cleanrooms.rules.select_list import expand_stars, output_name

_SELECT_PARTS = {
    "with_", "expressions", "hint", "distinct", "from_", "laterals", "joins", "where", "group", "having",
    "order", "limit", "offset",
}  # fmt: skip
_SET_PARTS = {"with_", "this", "expression", "distinct", "order", "limit", "offset"}


class Resolver:
    """Resolves one script. ``code`` is reported for constructs that cannot be understood."""

    def __init__(self, tables: Mapping[str, Table], report: Report, code: str) -> None:
        self.tables = {name.lower(): table for name, table in tables.items()}
        self.report = report
        self.code = code
        self.definitions: list[Definition] = []
        self.used: dict[str, Table] = {}
        self._unnamed = 0

    def script(self, script: Script) -> Query:
        """The final query; ``definitions`` then has the cached tables and CTEs, ``used`` the tables.

        :raises RefusedError: something cannot be understood; the report says what
        """
        known: dict[str, Definition] = {}
        for item in script.caches:
            query = self._query(item.query, known, None)
            known[item.name.name.lower()] = self._define(item.name, query, [])
        return self._query(script.query, known, None)

    def _define(self, name: exp.Identifier, query: Query, columns: list[exp.Identifier]) -> Definition:
        definition = Definition(name.name, query, outputs(query, columns, self.report, self.code), [name])
        self.definitions.append(definition)
        return definition

    def _query(self, node: exp.Expression, known: Definitions, parent: Block | None) -> Query:
        node = unwrapped(node)
        if isinstance(node, exp.Select):
            return self._select(node, known, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, known, parent)
        raise refusal(self.report, self.code, "This form of a query is not supported.", node)

    def _with(self, node: exp.Expression, known: Definitions, parent: Block | None) -> Definitions:
        clause = node.args.get("with_")
        if clause is None:
            return known
        if extras(clause, {"expressions", "recursive"}) or clause.args.get("recursive"):
            raise refusal(self.report, self.code, "WITH RECURSIVE is not supported.", clause)
        known = dict(known)
        for cte in clause.expressions:
            alias = cte.args["alias"]
            if extras(cte, {"this", "alias"}):
                raise refusal(self.report, self.code, "This form of WITH is not supported.", cte)
            query = self._query(cte.this, known, parent)
            known[cte.alias.lower()] = self._define(alias.this, query, alias.args.get("columns") or [])
        return known

    def _set_operation(self, node: exp.SetOperation, known: Definitions, parent: Block | None) -> SetBlock:
        known = self._with(node, known, parent)
        if extras(node, _SET_PARTS):
            raise refusal(self.report, self.code, "This form of a set operation is not supported.", node)
        for leg in (node.this, node.expression):
            if isinstance(leg, exp.Select) and any(
                leg.args.get(part) for part in ("order", "limit", "offset")
            ):
                raise refusal(self.report, self.code, "ORDER BY and LIMIT inside a UNION need brackets.", leg)
        left = self._query(node.this, known, parent)
        right = self._query(node.expression, known, parent)
        if len(left.fields) != len(right.fields):
            raise refusal(
                self.report, self.code, "The queries of a set operation differ in their columns.", node
            )
        block = SetBlock(node, left, right)
        block.fields = [
            Field(one.name, one.lineage | other.lineage)
            for one, other in zip(left.fields, right.fields, strict=True)
        ]
        for ordered in _sort_keys(node):
            position = self._output_position(ordered, block.fields)
            if position is None:
                raise refusal(
                    self.report, self.code, "ORDER BY of a set operation takes its columns.", ordered
                )
            block.order_items[id(ordered)] = position
        self._row_counts(node)
        return block

    def _select(self, node: exp.Select, known: Definitions, parent: Block | None) -> Block:
        if node.args.get("into") or node.args.get("kind"):
            raise refusal(self.report, "STATEMENT", "SELECT INTO and SELECT AS are not queries.", node)
        if not node.expressions:
            raise refusal(self.report, "PARSE", "The select list is empty.", node)
        distinct = node.args.get("distinct")
        unknown = extras(node, _SELECT_PARTS) or (distinct and distinct.args.get("on"))
        if unknown:
            raise refusal(self.report, self.code, "A clause of the query is not supported.", node)
        known = self._with(node, known, parent)
        block = Block(node, parent)
        self._from(block, known)
        for message, star in expand_stars(block):
            raise refusal(self.report, self.code, message, star)
        self._clause(block, known, node.args.get("where"))
        aliases: dict[str, exp.Expression] = {}
        for item in node.expressions:
            name = output_name(item)
            self._clause(block, known, item, aliases)
            block.fields.append(output_field(block, name, item))
            if isinstance(item, exp.Alias):
                aliases.setdefault(item.alias.lower(), item.this)
        for part in ("group", "having"):
            self._clause(block, known, node.args.get(part), aliases)
        for ordered in _sort_keys(node):
            position = self._output_position(ordered, block.fields)
            if position is None:
                self._clause(block, known, ordered, aliases)
            else:
                block.order_items[id(ordered)] = position
        self._row_counts(node)
        return block

    def _row_counts(self, node: exp.Expression) -> None:
        """LIMIT and OFFSET take constants: a number from the data would tell about the data."""
        for part in ("limit", "offset"):
            clause = node.args.get(part)
            if clause is not None and clause.find(exp.Column, exp.Select, exp.SetOperation, exp.Func):
                raise refusal(self.report, self.code, "LIMIT and OFFSET take a number.", clause)

    def _from(self, block: Block, known: Definitions) -> None:
        clause = block.node.args.get("from_")
        if clause is not None:
            self._add(block, self._relation(clause.this, block, known))
        for join in block.node.args.get("joins") or []:
            self._join(block, join, known)
        for lateral in block.node.args.get("laterals") or []:
            self._clause(block, known, lateral.this)
            self._add(block, lateral_relation(lateral, block, self.report, self.code))

    def _join(self, block: Block, join: exp.Join, known: Definitions) -> None:
        if extras(join, {"this", "on", "using", "side", "kind", "method"}):
            raise refusal(self.report, self.code, "This form of JOIN is not supported.", join)
        left = [relation for relation in block.relations if id(relation) not in block.invisible]
        relation = self._relation(join.this, block, known)
        self._add(block, relation)
        names = [identifier.name for identifier in join.args.get("using") or []]
        if (join.args.get("method") or "").upper() == "NATURAL":
            right = {item.name.lower() for item in relation.fields}
            names = list(
                dict.fromkeys(
                    item.name for side in left for item in side.fields if item.name.lower() in right
                )
            )
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
        block.merged[name.lower()] = Field(name, found[0].lineage | other[0].lineage)

    def _relation(self, node: exp.Expression, block: Block, known: Definitions) -> Relation:
        if isinstance(node, exp.Table):
            relation = table_relation(node, self.tables, known, self.report, self.code)
            if relation.table is not None:
                self.used.setdefault(relation.table.name.lower(), relation.table)
            return relation
        self._unnamed += 1
        alias = node.alias or f"unnamed_{self._unnamed}"
        if isinstance(node, exp.Values) and not extras(node, {"expressions", "alias"}):
            for row in node.expressions:
                self._clause(Block(block.node), known, row)
            return values_relation(node, alias)
        if isinstance(node, exp.Subquery) and not extras(node, {"this", "alias", "with_"}):
            if isinstance(node.this, exp.Table | exp.Values):
                raise refusal(
                    self.report, self.code, "Brackets around tables are not supported in FROM.", node
                )
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
            query = self._query(node.this, self._with(node, known, None), None)
            return derived_relation(node, query, alias, self.report, self.code)
        raise refusal(self.report, self.code, "This item of FROM is not supported.", node)

    def _add(self, block: Block, relation: Relation) -> None:
        if any(other.key == relation.key for other in block.relations):
            raise refusal(
                self.report, "AMBIGUOUS", f"Two items of FROM are called {relation.alias}.", relation.node
            )
        block.relations.append(relation)

    def _clause(
        self,
        block: Block,
        known: Definitions,
        root: exp.Expression | None,
        aliases: Mapping[str, exp.Expression] | None = None,
    ) -> None:
        for node in list(local_nodes(root)):
            if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                self._column(block, node, aliases or {})
            elif isinstance(node, exp.Select | exp.SetOperation):
                inner = self._query(node, known, block)
                block.inner.append(inner)
                block.inner_by_node[id(node)] = inner
            elif isinstance(
                node, exp.Values | exp.Table | exp.Lateral | exp.Unnest
            ) and not node.find_ancestor(exp.Hint):
                raise refusal(self.report, self.code, "A table cannot stand in an expression.", node)
            elif isinstance(node, exp.Subquery) and extras(node, {"this"}):
                raise refusal(self.report, self.code, "This form of a nested query is not supported.", node)

    def _column(self, block: Block, node: exp.Column, aliases: Mapping[str, exp.Expression]) -> None:
        level: Block | None = block
        while level is not None:
            found = candidates(level, node)
            if len(found) > 1 or (found and is_captured(block, level, found[0])):
                self._ambiguous(node)
                return
            if found:
                block.resolved[id(node)] = found[0]
                if found[0].relation is not None:
                    node.meta["qualified"] = not node.table
                    node.set("table", exp.to_identifier(found[0].relation.alias))
                return
            alias = aliases.get(node.name.lower()) if level is block and not node.table else None
            if alias is not None:
                substitute(block, node, alias)
                return
            if any(relation.opaque for relation in level.relations):
                return
            level = level.parent
        self.report.add(
            "COLUMN_UNKNOWN",
            f"Column(s) [{node.name}] cannot be found: not an allowed column of a table in the query.",
            node,
            rule="allowedColumns of the configured table",
            fix="Use a column that the table's schema in the collaboration lists.",
        )

    def _ambiguous(self, node: exp.Expression) -> None:
        self.report.add(
            "AMBIGUOUS",
            f"Column {node.name or node.this.name} is ambiguous.",
            node,
            fix="Write the table's alias before the column.",
        )

    def _output_position(self, ordered: exp.Expression, fields: list[Field]) -> int | None:
        positions = output_positions(ordered, fields)
        if len(positions) > 1:
            self._ambiguous(ordered)
        return positions[0] if positions else None


def _sort_keys(node: exp.Expression) -> list[exp.Expression]:
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []
