"""Gives every name of a query its meaning, so that rules are checked on columns and never on aliases.

Spark's rules for names, made strict: an ambiguous name is refused, an alias never hides a column except
as a sort key, stars are written out, and a table's columns are only those that its owner allowed.
Afterwards each column in the tree is qualified by its relation's alias, so that no engine can read
the text in another way.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from cleanrooms.rules.from_clause import FromClauses
from cleanrooms.rules.lambdas import is_misread
from cleanrooms.rules.model import Table
from cleanrooms.rules.names import output_field, output_position, resolve_column
from cleanrooms.rules.parse import Script, extras, unwrapped
from cleanrooms.rules.relations import Definition, Definitions, outputs, refusal
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import Block, Query, SetBlock, local_nodes
from cleanrooms.rules.select_list import expand_stars, output_name

_SELECT_PARTS = {
    "with_", "expressions", "hint", "distinct", "from_", "laterals", "joins", "where", "group", "having",
    "order", "limit", "offset",
}  # fmt: skip
_SET_PARTS = {"with_", "this", "expression", "distinct", "order", "limit", "offset"}


class Resolver:
    """Resolves one script. ``code`` is reported for constructs that cannot be understood."""

    def __init__(self, tables: Mapping[str, Table], report: Report, code: str) -> None:
        self.report = report
        self.definitions: list[Definition] = []
        self._from = FromClauses(tables, report, code, self._clause, self._derived)

    @property
    def used(self) -> dict[str, Table]:
        """The associations that the script names, in order."""
        return self._from.used

    @property
    def code(self) -> str:
        """What is reported for constructs that cannot be understood."""
        return self._from.code

    @code.setter
    def code(self, code: str) -> None:
        self._from.code = code

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
        fields = outputs(query, columns, self.report, self.code)
        definition = Definition(name.name, query, fields, name, len(self.definitions))
        self.definitions.append(definition)
        return definition

    def _query(self, node: exp.Expression, known: Definitions, parent: Block | None) -> Query:
        node = unwrapped(node)
        if isinstance(node, exp.Select):
            return self._select(node, known, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, known, parent)
        raise refusal(self.report, self.code, "This form of a query is not supported.", node)

    def _derived(self, node: exp.Expression, known: Definitions) -> Query:
        return self._query(node.this, self._with(node, known, None), None)

    def _with(self, node: exp.Expression, known: Definitions, parent: Block | None) -> Definitions:
        clause = node.args.get("with_")
        if clause is None:
            return known
        if extras(clause, {"expressions", "recursive"}) or clause.args.get("recursive"):
            raise refusal(self.report, self.code, "WITH RECURSIVE is not supported.", clause)
        if clause.find_ancestor(exp.CTE):
            message = "WITH inside a query of WITH is not supported."
            self.report.add(
                "CTE", message, clause, rule="SQL reference, WITH clause", fix="List it in one WITH."
            )
        known, names = dict(known), set()
        for cte in clause.expressions:
            alias = cte.args["alias"]
            if cte.alias.lower() in names:
                raise refusal(self.report, "PARSE", "WITH defines a name twice.", cte)
            names.add(cte.alias.lower())
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
            one.merged(other, one.name) for one, other in zip(left.fields, right.fields, strict=True)
        ]
        for ordered in self._sort_keys(node):
            position = output_position(ordered, block.fields, self.report)
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
        self._from.read(block, known)
        for message, star in expand_stars(block):
            raise refusal(self.report, self.code, message, star)
        self._clause(block, known, node.args.get("where"))
        aliases: dict[str, exp.Expression] = {}
        for at, written in enumerate(node.expressions):
            name = output_name(written)
            self._clause(block, known, written, aliases)
            item = node.expressions[at]  # a name may have been replaced by what it stands for
            block.fields.append(output_field(block, name, item))
            if isinstance(item, exp.Alias):
                aliases.setdefault(item.alias.lower(), item.this)
        for part in ("group", "having"):
            self._clause(block, known, node.args.get(part), aliases)
        for ordered in self._sort_keys(node):
            position = output_position(ordered, block.fields, self.report)
            if position is None:
                self._clause(block, known, ordered, aliases)
            else:
                block.order_items[id(ordered)] = position
        self._row_counts(node)
        return block

    def _row_counts(self, node: exp.Expression) -> None:
        """LIMIT and OFFSET take constants: a number from the data would tell about the data."""
        limit = node.args.get("limit")
        if limit is not None and limit.meta.get("top"):
            for code, message in (("PARSE", "TOP is not Spark SQL."), ("LIMIT", "TOP is not supported.")):
                self.report.add(code, message, limit, rule="supported SQL", fix="Leave TOP out.")
        for part in ("limit", "offset"):
            clause = node.args.get(part)
            if clause is None:
                continue
            if clause.find(exp.Column, exp.Select, exp.SetOperation, exp.Func):
                raise refusal(self.report, self.code, "LIMIT and OFFSET take a number.", clause)
            options = clause.args.get("limit_options")
            if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
                raise refusal(self.report, self.code, "LIMIT takes a number of rows only.", clause)

    def _clause(
        self,
        block: Block,
        known: Definitions,
        root: exp.Expression | None,
        aliases: Mapping[str, exp.Expression] | None = None,
    ) -> None:
        for node in list(local_nodes(root)):
            if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
                raise refusal(self.report, self.code, "* stands in the select list only.", node)
            if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                copied = resolve_column(block, node, aliases or {}, self.report)
                for part in local_nodes(copied):
                    if isinstance(part, exp.Select | exp.SetOperation):
                        self._nested(block, known, part)
            elif isinstance(node, exp.Select | exp.SetOperation):
                self._nested(block, known, node)
            elif isinstance(
                node, exp.Values | exp.Table | exp.Lateral | exp.Unnest
            ) and not node.find_ancestor(exp.Hint):
                raise refusal(self.report, self.code, "A table cannot stand in an expression.", node)
            elif is_misread(node):
                raise refusal(self.report, self.code, "Only columns and their fields can be read.", node)
            elif isinstance(node, exp.Subquery) and extras(node, {"this"}):
                raise refusal(self.report, self.code, "This form of a nested query is not supported.", node)

    def _nested(self, block: Block, known: Definitions, node: exp.Expression) -> None:
        inner = self._query(node, known, block)
        block.inner.append(inner)
        block.inner_by_node[id(node)] = inner

    def _sort_keys(self, node: exp.Expression) -> list[exp.Expression]:
        order = node.args.get("order")
        keys = list(order.expressions) if order is not None else []
        for key in keys:
            if isinstance(key, exp.Ordered) and extras(key, {"this", "desc", "nulls_first"}):
                raise refusal(self.report, self.code, "This form of ORDER BY is not supported.", key)
        return keys
