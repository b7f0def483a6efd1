"""The structure of queries on tables under differential privacy: user-level CTEs, then aggregates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from cleanrooms.rules.flat import boolean_atoms
from cleanrooms.rules.model import Submission, Table
from cleanrooms.rules.report import Report
from cleanrooms.rules.roles import CustomRule
from cleanrooms.rules.scope import (
    BaseColumn,
    Block,
    Field,
    Query,
    Relation,
    SetBlock,
    blocks,
    final_blocks,
    is_aggregate,
    local_nodes,
)

EXHAUSTED = (
    "You do not have enough aggregations remaining to run this query on the data from {owner}. "
    "You can wait for the utility to refresh or contact the data owner to provide you more utility."
)
_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp)
_RULE = "query structure of differential privacy"


def check_private(
    all_blocks: Sequence[Block],
    query: Query,
    tables: Sequence[Table],
    rules: Mapping[str, CustomRule],
    report: Report,
    facts: Submission,
) -> None:
    """Check the whole query; ``tables`` are those with a custom rule."""
    private = [table for table in tables if rules[table.name.lower()].user]
    _check_budget(private, report, facts)
    if len({table.owner for table in private}) > 1:
        message = "Tables of two members that both use differential privacy cannot be queried together."
        report.add("DP_TWO_PROVIDERS", message, rule=_RULE, fix="Query one member's tables.")
    users = {BaseColumn(name, rule.user) for name, rule in rules.items() if rule.user}
    _Structure(users, report).check(all_blocks, query)


def _check_budget(private: Sequence[Table], report: Report, facts: Submission) -> None:
    if not facts.privacy_budget:
        message = "The collaboration has no differential privacy budget: "
        message += "DIFFERENTIAL_PRIVACY_POLICY_NOT_CONFIGURED."
        report.add(
            "DP_NO_BUDGET", message, rule=_RULE, fix="Its owner must create a privacy budget template."
        )
    elif facts.privacy_remaining is not None and facts.privacy_remaining <= 0:
        message = EXHAUSTED.format(owner=private[0].owner)
        report.add("DP_BUDGET_EXHAUSTED", message, rule="privacy budget", fix="Wait until it is refreshed.")


class _Structure:
    def __init__(self, users: set[BaseColumn], report: Report) -> None:
        self.users, self.report = users, report

    def check(self, all_blocks: Sequence[Block], query: Query) -> None:
        final = {id(block) for block in final_blocks(query)}
        if isinstance(query, SetBlock):
            self._add("DP_SHAPE", "Set operators are supported in common table expressions only.", query.node)
        for block in all_blocks:
            self._everywhere(block)
            self._joins(block)
            if id(block) in final:
                self._final(block)
            elif self._reads(block):
                self._user_level(block)

    def _reads(self, query: Query) -> bool:
        return any(self._is_private(item) for block in blocks(query) for item in block.relations)

    def _is_private(self, relation: Relation) -> bool:
        if relation.table is not None:
            return any(user.table == relation.table.name.lower() for user in self.users)
        return relation.query is not None and self._reads(relation.query)

    def _is_user(self, target: Field | None) -> bool:
        return target is not None and not target.computed and bool(target.lineage.flows & self.users)

    def _everywhere(self, block: Block) -> None:
        node = block.node
        if node.args.get("hint"):
            self._add("DP_SHAPE", "Hints are not supported.", node.args["hint"])
        for lateral in node.args.get("laterals") or []:
            self._add("DP_SHAPE", "LATERAL VIEW is not supported.", lateral)
        for part in local_nodes(*(value for key, value in _parts(node) if key != "hint")):
            array = type(part).__module__.endswith("expressions.array") or isinstance(
                part, exp.ArrayAgg | exp.ArrayUniqueAgg
            )
            named = isinstance(part, exp.Anonymous) and part.name.upper().startswith(("ARRAY", "EXPLODE"))
            if array or named:
                self._add("DP_FUNCTION", "Array functions are not supported.", part)
            if isinstance(part, exp.Cube | exp.Rollup | exp.GroupingSets):
                self._add("DP_SHAPE", "Extended GROUP BY is not supported.", part)
        for inner in block.inner:
            if self._reads(inner):
                message = "Nested queries on private tables are supported in FROM and JOIN only."
                self._add("DP_SUBQUERY", message, inner.node)

    def _final(self, block: Block) -> None:
        node = block.node
        aggregates = [part for item in node.expressions for part in local_nodes(item) if is_aggregate(part)]
        having = node.args.get("having")
        aggregates += [part for part in local_nodes(having) if is_aggregate(part)]
        windows = [part for part in local_nodes(*node.expressions) if isinstance(part, exp.Window)]
        for window in windows:
            self._add("DP_SHAPE", "Window functions are not supported in the final SELECT.", window)
        for aggregate in aggregates:
            if not isinstance(aggregate, _AGGREGATES):
                self._add("DP_AGGREGATE", "Only COUNT, SUM, AVG and STDDEV are supported.", aggregate)
        selected = [
            item for item in node.expressions if any(is_aggregate(part) for part in local_nodes(item))
        ]
        if self._reads(block) and not selected:
            self._add("DP_SHAPE", "The final SELECT has no aggregate function.", *node.expressions[:1])
        keys = node.args.get("group")
        plain = [item for item in node.expressions if item not in selected]
        if plain and selected and keys is None and block.lineage(*plain).origins:
            self._add("DP_SHAPE", "Columns beside aggregates must be grouped.", *plain)

    def _user_level(self, block: Block) -> None:
        node = block.node
        if not any(self._is_user(item) for item in block.fields):
            message = "A query on private tables inside the query must give the user column."
            self._add("DP_USER_ID", message, node)
        if node.args.get("limit") or node.args.get("offset"):
            self._add("DP_SHAPE", "LIMIT is supported in the final SELECT only.", node.args["limit"] or node)
        for part in local_nodes(*node.iter_expressions()):
            if isinstance(part, exp.Window):
                keys = [key for key in part.args.get("partition_by") or [] if isinstance(key, exp.Column)]
                if not any(self._is_user(block.field_of(key)) for key in keys):
                    self._add("DP_WINDOW", "PARTITION BY must have the user column.", part)

    def _joins(self, block: Block) -> None:
        private = {id(item) for item in block.relations if self._is_private(item)}
        seen = [item for item in block.relations[:1] if id(item) in private]
        by_node = {id(item.node): item for item in block.relations}
        for join in block.node.args.get("joins") or []:
            relation = by_node[id(join.this)]
            if join.args.get("using") and private:
                self._add("DP_JOIN", "USING and NATURAL are not supported.", join.this)
            elif id(relation) in private and seen and not self._on_user(block, join, relation):
                message = "Private tables must be joined by equality of the user column."
                self._add("DP_JOIN", message, join.this)
            seen += [relation] if id(relation) in private else []

    def _on_user(self, block: Block, join: exp.Join, relation: Relation) -> bool:
        condition = join.args.get("on")
        if condition is None or condition.find(exp.Or):
            return False
        for atom in boolean_atoms(condition, negatable=False):
            sides = [atom.this, atom.expression] if isinstance(atom, exp.EQ) else []
            targets = [block.field_of(side) if isinstance(side, exp.Column) else None for side in sides]
            owners = [target.relation for target in targets if target is not None]
            if (
                targets
                and all(map(self._is_user, targets))
                and relation in owners
                and len(set(map(id, owners))) == 2
            ):
                return True
        return False

    def _add(self, code: str, message: str, *nodes: exp.Expression) -> None:
        self.report.add(code, message, *nodes, rule=_RULE, fix="Follow the documented query structure.")


def _parts(node: exp.Select) -> list[tuple[str, exp.Expression]]:
    found = []
    for key, value in node.args.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expression):
                found.append((key, item))
    return found
