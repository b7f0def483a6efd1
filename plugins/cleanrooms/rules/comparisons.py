"""Comparison controls: which columns may be compared with literals and with other columns.

Comparisons are followed through aliases, CTEs and expressions: what counts is whether a row's value can
still be recognised in an operand. A condition of unknown form counts as a comparison with a literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from sqlglot import exp

from cleanrooms.rules.dialect import NullSafeOperator
from cleanrooms.rules.flat import bare, boolean_atoms
from cleanrooms.rules.functions import source_name
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import CustomRule
from cleanrooms.rules.scope import BaseColumn, Block, Lineage, SetBlock, local_nodes

Pair = tuple[exp.Expression, exp.Expression]

_BINARY = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.RegexpLike, exp.NullSafeEQ,
    exp.NullSafeNEQ, NullSafeOperator, exp.Nullif, exp.StartsWith, exp.EndsWith, exp.Contains, exp.ArrayContains,
    exp.RegexpILike, exp.SimilarTo, exp.Glob,
)  # fmt: skip
_VARIADIC = (
    exp.Greatest, exp.Least, exp.DecodeCase, exp.StrPosition, exp.Levenshtein, exp.Replace, exp.RegexpReplace,
    exp.RegexpExtract, exp.Bracket, exp.Trim,
)  # fmt: skip
_VARIADIC_NAMES = {
    "FIND_IN_SET", "ARRAY_POSITION", "ELT", "FIELD", "INSTR", "LOCATE", "REGEXP_SUBSTR",
    "REGEXP_LIKE", "REGEXP", "MAP_CONTAINS_KEY", "ARRAYS_OVERLAP", "ARRAY_REMOVE", "ARRAY_INTERSECT", "ARRAY_UNION",
    "EQUAL_NULL", "SPLIT", "SUBSTRING_INDEX", "STR_TO_MAP", "MAP_CONCAT", "BTRIM", "LTRIM", "RTRIM", "TRIM",
    "WIDTH_BUCKET",
}  # fmt: skip
_INSIDE_NAMES = {
    "ARRAY_DISTINCT", "ARRAY_MAX", "ARRAY_MIN", "ARRAY_SORT", "SORT_ARRAY", "SIGN", "SIGNUM",
}  # fmt: skip
"""Functions that compare what their one operand is made of: an array's items, or the terms of a difference."""


class Comparisons:
    """Collects and judges the comparisons of a query."""

    def __init__(self, rules: Mapping[str, CustomRule], report: Report) -> None:
        self.rules, self.report = rules, report

    def check(self, all_blocks: Iterable[Block], sets: Iterable[SetBlock]) -> None:
        """Judge every comparison of every SELECT; set operators compare whole rows."""
        for block in all_blocks:
            self._block(block)
        for query in sets:
            if query.node.args.get("distinct") or not isinstance(query.node, exp.Union):
                flows = [item.lineage.flows for item in query.fields]
                self._columns(frozenset().union(*flows), query.node)

    def _block(self, block: Block) -> None:
        node = block.node
        for part in local_nodes(*node.iter_expressions()):
            for one, other in self._pairs(part):
                self._compare(block, part, one, other)
            self._inside(block, part)
            for atom in _unknown_conditions(part):
                self._literals(block.lineage(atom).flows, atom)
            if _computes_null(block, part) or self._identity_with_text(block, part):
                self._literals(block.lineage(part.this if isinstance(part, exp.Is) else part).flows, part)
            if isinstance(part, exp.Window):
                keys = [*(part.args.get("partition_by") or []), part.args.get("order")]
                self._columns(block.lineage(*keys).flows, part)
        for join in node.args.get("joins") or []:
            for identifier in join.args.get("using") or []:
                merged = block.merged[identifier.name.lower()].lineage
                self._columns(merged.flows, identifier)
                if merged.literal:
                    self._literals(merged.flows, identifier)
        if node.args.get("group"):
            self._columns(self._group_flows(block), node.args["group"])
        if node.args.get("distinct"):
            self._columns(frozenset().union(*(item.lineage.flows for item in block.fields)), node)

    def _inside(self, block: Block, node: exp.Expression) -> None:
        """Comparisons of the parts of an operand; a lambda function may compare in any way."""
        if not isinstance(node, exp.Func):
            return
        unknown = any(isinstance(part, exp.Lambda) for part in node.iter_expressions())
        if not unknown and source_name(node, self.report.text) not in _INSIDE_NAMES:
            return
        found = block.lineage(node if unknown else node.this)
        if unknown or found.literal:
            self._literals(found.flows, node)
        if unknown or len(found.flows) > 1:
            self._columns(found.flows, node)

    def _pairs(self, node: exp.Expression) -> Iterator[Pair]:
        if isinstance(node, _VARIADIC) or (
            isinstance(node, exp.Func) and source_name(node, self.report.text) in _VARIADIC_NAMES
        ):
            yield from combinations([part for part in _operands(node) if not isinstance(part, exp.Var)], 2)
        else:
            yield from _pairs(node)

    def _identity_with_text(self, block: Block, node: exp.Expression) -> bool:
        """A function of the identity column and a string can look for a person as a comparison does."""
        if not isinstance(node, exp.Func) or isinstance(node, exp.AggFunc | exp.Connector | exp.Cast):
            return False
        text = any(isinstance(part, exp.Literal) and part.is_string for part in node.iter_expressions())
        return text and any(
            (rule := self.rules.get(base.table)) and rule.threshold and rule.threshold.identity == base.column
            for base in block.lineage(node).flows
        )

    @staticmethod
    def _group_flows(block: Block) -> frozenset[BaseColumn]:
        group = block.node.args["group"]
        keys = list(group.expressions)
        flows = block.lineage(group).flows
        for key in map(bare, keys):
            if isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(block.fields):
                flows |= block.fields[int(key.name) - 1].lineage.flows
        return flows

    def _compare(
        self, block: Block, whole: exp.Expression, one: exp.Expression, other: exp.Expression
    ) -> None:
        left, right = _side(block, one), _side(block, other)
        sides = ((left, right, other), (right, left, one))
        for mine, theirs, node in sides:
            if theirs.flows or node.find(exp.Column):
                self._columns(mine.flows, whole)
        for mine, theirs, _ in sides:
            if theirs.literal or not theirs.flows:
                self._literals(mine.flows, whole)

    def _literals(self, flows: Iterable[BaseColumn], node: exp.Expression) -> None:
        wrong = [column for column in sorted(flows, key=str) if not self._literal_allowed(column)]
        if wrong:
            self.report.add(
                "LITERAL_COMPARISON",
                f"Column(s) {column_list(column.column for column in wrong)} cannot be compared with literals.",
                node,
                rule="allowedLiteralComparisonColumns; the identity column never",
                fix="Compare only columns on the list with literals.",
            )

    def _columns(self, flows: Iterable[BaseColumn], node: exp.Expression) -> None:
        wrong = [column for column in sorted(flows, key=str) if not self._column_allowed(column)]
        if wrong:
            self.report.add(
                "COLUMN_COMPARISON",
                f"Column(s) {column_list(column.column for column in wrong)} cannot be compared with columns.",
                node,
                rule="allowedColumnComparisonColumns (joins, conditions, GROUP BY, DISTINCT, windows)",
                fix="Join, group and compare only by columns on the list.",
            )

    def _literal_allowed(self, column: BaseColumn) -> bool:
        rule = self.rules.get(column.table)
        if rule is None:
            return True
        if rule.threshold is not None and column.column == rule.threshold.identity:
            return False
        return rule.literal_columns is None or column.column in rule.literal_columns

    def _column_allowed(self, column: BaseColumn) -> bool:
        rule = self.rules.get(column.table)
        return rule is None or rule.compared_columns is None or column.column in rule.compared_columns


def _side(block: Block, node: exp.Expression) -> Lineage:
    """An operand; of a nested query only what it shows, its own conditions are judged by themselves."""
    inner = [block.inner_by_node[id(part)] for part in local_nodes(node) if id(part) in block.inner_by_node]
    if not inner:
        return block.lineage(node)
    found = Lineage()
    for query in inner:
        for item in query.fields:
            found |= item.lineage
    return found


def _computes_null(block: Block, node: exp.Expression) -> bool:
    """``expression IS NULL``: arithmetic can make the null depend on a value."""
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return False
    operand = node.this.unnest()
    target = block.field_of(operand) if isinstance(operand, exp.Column) else None
    return target is None or target.computed


def _pairs(node: exp.Expression) -> Iterator[Pair]:
    if isinstance(node, _BINARY):
        yield node.this, node.expression
    elif isinstance(node, exp.In):
        query = node.args.get("query")
        for option in [*node.expressions, *([query] if query is not None else [])]:
            yield node.this, option
    elif isinstance(node, exp.Between):
        yield node.this, node.args["low"]
        yield node.this, node.args["high"]
    elif isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
        yield node.this, node.expression
    elif isinstance(node, exp.Case) and node.this is not None:
        for branch in node.args.get("ifs") or []:
            yield node.this, branch.this


def _operands(node: exp.Expression) -> list[exp.Expression]:
    return [part for part in node.iter_expressions() if isinstance(part, exp.Expression)]


def _unknown_conditions(node: exp.Expression) -> Iterator[exp.Expression]:
    """The atoms of conditions that are no comparison of a known form."""
    conditions: list[exp.Expression | None] = []
    if isinstance(node, exp.Where | exp.Having):
        conditions = [node.this]
    elif isinstance(node, exp.Join):
        conditions = [node.args.get("on")]
    elif isinstance(node, exp.If):
        simple = isinstance(node.parent, exp.Case) and node.parent.this is not None
        conditions = [] if simple else [node.this]
    elif isinstance(node, exp.Filter):
        conditions = [node.expression]
    elif isinstance(node, exp.And | exp.Or | exp.Not) and not isinstance(
        node.parent, exp.And | exp.Or | exp.Not | exp.Paren
    ):
        conditions = [node]
    elif isinstance(node, exp.CountIf | exp.LogicalAnd | exp.LogicalOr):
        conditions = [node.this]
    for condition in conditions:
        for atom in boolean_atoms(condition, negatable=True) if condition is not None else []:
            known = (*_BINARY, exp.In, exp.Between, exp.Is, exp.Exists, exp.Boolean)
            if not isinstance(atom, known) and not (isinstance(atom, exp.Case) and atom.this is not None):
                yield atom
