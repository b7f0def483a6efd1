"""The grammar of aggregation queries: bare-column aggregates, grouped dimensions, nothing else."""

from __future__ import annotations

from sqlglot import exp

from cleanrooms.rules.flat import (
    COMPARISONS,
    Clauses,
    bare,
    boolean_atoms,
    is_call,
    is_literal,
    is_nested_query,
    stars,
)
from cleanrooms.rules.functions import source_name
from cleanrooms.rules.joins import check_joins
from cleanrooms.rules.names import canonical
from cleanrooms.rules.parse import Script
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import SCALARS
from cleanrooms.rules.scope import Block, Field, is_aggregate, local_nodes

_SCALAR_NAMES = {"CEIL": "CEILING", "SUBSTR": "SUBSTRING", "TRY_CAST": "CAST"}
_FUNCTIONS: dict[type, str] = {exp.Count: "COUNT", exp.Sum: "SUM", exp.Avg: "AVG"}
_RULE = "query grammar of the aggregation rule"


class Aggregation:
    """Checks one SELECT under aggregation rules."""

    def __init__(self, block: Block, report: Report, text: str) -> None:
        self.block, self.report, self.text = block, report, text
        self.clauses = Clauses(block, report)

    def check(self, script: Script, runner: str) -> None:
        """Run all checks of the rule; violations go to the report."""
        self.clauses.outside_grammar(script)
        self._shape()
        has_star = stars(self.clauses)
        check_joins(self.clauses, runner)
        if has_star:
            self._group_by()
        else:
            self._select()
        self.clauses.where(self._scalar)
        self._having()
        self._order_by()

    def _shape(self) -> None:
        node = self.block.node
        for part in ("limit", "offset"):
            if node.args.get(part):
                self._add("LIMIT", "LIMIT, OFFSET and FETCH are not supported.", node.args[part])
        if node.args.get("distinct"):
            self._add("SELECT_SHAPE", "SELECT DISTINCT is not supported.", *node.expressions[:1])

    def _select(self) -> None:
        aggregates = 0
        shown: list[tuple[exp.Column, Field]] = []
        for item in self.block.node.expressions:
            aggregates += self._item(bare(item), "COLUMN_IN_SELECT", shown)
        self.clauses.forbidden("COLUMN_IN_SELECT", "select", shown)
        self._group_by()
        if "GROUP_BY_SHAPE" not in self.report.codes():
            self._grouped(self.block.node.expressions)
        if not aggregates:
            self._add(
                "NO_AGGREGATE", "The query has no aggregate function.", *self.block.node.expressions[:1]
            )

    def _item(self, node: exp.Expression, code: str, shown: list[tuple[exp.Column, Field]]) -> int:
        """Check one item of SELECT or ORDER BY; collects its bare columns; 1 for an aggregate."""
        if isinstance(node, exp.Column):
            target = self.block.field_of(node)
            shown += [(node, target)] if target is not None else []
        elif is_literal(node) or isinstance(node, exp.Subquery | exp.Select | exp.SetOperation | exp.Window):
            return 0
        elif is_aggregate(node):
            self._aggregate(node)
            return 1
        elif isinstance(node, exp.Filter):
            self._add("SELECT_SHAPE", "FILTER is not supported.", node)
            return self._unknown(node, shown)
        elif is_call(node):
            self._scalar(node, code)
        else:
            self._add(
                "SELECT_SHAPE", "Only columns, aggregates and permitted functions can be selected.", node
            )
            return self._unknown(node, shown)
        return 0

    def _unknown(self, node: exp.Expression, shown: list[tuple[exp.Column, Field]]) -> int:
        """What an expression outside the grammar holds: its aggregates, and columns outside of them."""
        aggregates = [part for part in local_nodes(node) if is_aggregate(part)]
        for aggregate in aggregates:
            self._aggregate(aggregate)
        inside = {id(column) for aggregate in aggregates for column, _ in self.clauses.columns(aggregate)}
        shown += [pair for pair in self.clauses.columns(node) if id(pair[0]) not in inside]
        return len(aggregates)

    def _aggregate(self, node: exp.Expression) -> None:
        function = _FUNCTIONS.get(type(node))
        if function is None:
            fix = "Use COUNT, SUM or AVG, with or without DISTINCT, as aggregateColumns permits."
            name = source_name(node, self.text) or "This aggregate"
            self._add("AGG_FUNCTION", f"{name} is not supported.", node, fix=fix)
            return
        argument, others = node.this, [*(node.args.get("expressions") or [])]
        if isinstance(argument, exp.Distinct):
            function = f"{function}_DISTINCT"
            others += argument.expressions[1:]
            argument = argument.expressions[0] if argument.expressions else None
        argument = argument.unnest() if argument is not None else None
        if others or not isinstance(argument, exp.Column) or isinstance(argument.this, exp.Star):
            self._add("AGG_ARGUMENT", "An aggregate takes exactly one bare column.", node)
            return
        target = self.block.field_of(argument)
        permitted = self._permitted(target) if target is not None else frozenset({function})
        if function not in permitted:
            self.report.add(
                "AGG_FUNCTION",
                f"Function {function} is not allowed on column {argument.name}.",
                node,
                rule="aggregateColumns",
                fix=f"Permitted on this column: {', '.join(sorted(permitted)) or 'nothing'}.",
            )

    def _permitted(self, target: Field) -> frozenset[str]:
        rule = self.clauses.rule(target.relation) if target.relation is not None else None
        return (rule.aggregates or {}).get(target.name.lower(), frozenset()) if rule else frozenset()

    def _scalar(self, node: exp.Expression, code: str) -> None:
        """Check a function call: its name for every table that gives a column, and its arguments."""
        if is_aggregate(node):
            self._add("AGG_FUNCTION", "An aggregate cannot stand here.", node)
            return
        columns: list[tuple[exp.Column, Field]] = []
        aggregates = self._unknown(node, columns)
        name = self._scalar_name(node)
        tables = [target.relation for _, target in columns if target.relation is not None]
        closed = [
            relation.alias
            for relation in tables or [relation for relation, _ in self.clauses.tables()]
            if name not in self.clauses.rule(relation).scalars
        ]
        if name not in SCALARS or closed or (name == "RTRIM" and self._custom_trim(node)):
            self.report.add(
                "SCALAR_NOT_ALLOWED",
                f"Function {name or 'of this form'} is not allowed"
                + (f" on columns of {', '.join(dict.fromkeys(closed))}." if closed else "."),
                node,
                rule="scalarFunctions",
                fix="Use a function that the rule of every table concerned permits.",
            )
        if name in SCALARS or aggregates:
            self._arguments(node)
        self.clauses.forbidden(code, _clause(code), columns)

    def _arguments(self, node: exp.Expression) -> None:
        for argument in node.iter_expressions():
            if isinstance(argument, exp.Column | exp.DataType | exp.Var) or is_literal(argument):
                continue
            if is_call(argument):
                self._add("SCALAR_NESTED", "A function cannot stand inside another function.", node)
            elif not (isinstance(argument, exp.Neg) and is_literal(argument.this)):
                self._add("SELECT_SHAPE", "A function takes columns and literals only.", argument)

    def _scalar_name(self, node: exp.Expression) -> str:
        name = source_name(node, self.text)
        return _SCALAR_NAMES.get(name, name)

    @staticmethod
    def _custom_trim(node: exp.Expression) -> bool:
        return isinstance(node, exp.Trim) and node.args.get("expression") is not None

    def _group_by(self) -> None:
        group = self.block.node.args.get("group")
        if group is None:
            return
        columns: list[tuple[exp.Column, Field]] = []
        for key in [
            *group.expressions,
            *(value for name, value in group.args.items() if name != "expressions"),
        ]:
            node = bare(key) if isinstance(key, exp.Expression) else None
            if isinstance(node, exp.Column):
                target = self.block.field_of(node)
                columns += [(node, target)] if target is not None else []
            elif node is not None and is_call(node) and not is_aggregate(node):
                self._scalar(node, "COLUMN_IN_GROUP_BY")
            elif key:
                self._add("GROUP_BY_SHAPE", "GROUP BY takes columns and permitted functions.", node or group)
        self.clauses.forbidden("COLUMN_IN_GROUP_BY", "group by", columns)

    def _having(self) -> None:
        clause = self.block.node.args.get("having")
        for atom in boolean_atoms(clause.this, negatable=False) if clause else []:
            aggregate = bare(atom.this) if isinstance(atom, COMPARISONS) else None
            if is_nested_query(atom):
                continue
            for found in [part for part in local_nodes(atom) if is_aggregate(part)]:
                self._aggregate(found)
            if aggregate is None or not is_aggregate(aggregate) or not _is_number(atom.expression):
                message = "HAVING compares an aggregate of one column with a number."
                self._add("HAVING_SHAPE", message, atom)

    def _order_by(self) -> None:
        order = self.block.node.args.get("order")
        columns: list[tuple[exp.Column, Field]] = []
        for ordered in order.expressions if order else []:
            if id(ordered) not in self.block.order_items:
                self._item(bare(ordered.this), "COLUMN_IN_ORDER_BY", columns)
        self.clauses.forbidden("COLUMN_IN_ORDER_BY", "order by", columns)
        if order:
            keys = [item for item in order.expressions if id(item) not in self.block.order_items]
            self._grouped([item.this for item in keys])

    def _grouped(self, items: list[exp.Expression]) -> None:
        """Every dimension outside of aggregates must be a grouping key, or made of grouping keys."""
        group = self.block.node.args.get("group")
        keys = {canonical(bare(key)) for key in group.expressions} if group else set()
        missing: list[exp.Column] = []
        for item in items:
            node = bare(item)
            if canonical(node) in keys:
                continue
            inside = {
                id(column)
                for part in local_nodes(node)
                if isinstance(part, exp.AggFunc)
                for column, _ in self.clauses.columns(part)
            }
            missing += [
                column
                for column, target in self.clauses.columns(node)
                if id(column) not in inside
                and canonical(column) not in keys
                and self.clauses.is_shown(target)
            ]
        if missing:
            names = column_list(f"{column.table}.{column.name}" for column in missing)
            self.report.add(
                "GROUP_BY_MISSING",
                f"Column(s) {names} must appear in group by clause",
                *missing,
                rule=_RULE,
                fix="Group by them, or leave them out.",
            )

    def _add(self, code: str, message: str, *nodes: exp.Expression, fix: str = "") -> None:
        self.report.add(code, message, *nodes, rule=_RULE, fix=fix or "Leave it out.")


def _is_number(node: exp.Expression) -> bool:
    node = node.this if isinstance(node, exp.Neg) else node
    return isinstance(node, exp.Literal) and not node.is_string


def _clause(code: str) -> str:
    return code.removeprefix("COLUMN_IN_").replace("_", " ").lower()
