"""The structure of queries on private tables: user-level queries inside, a final SELECT of aggregates.

Source: user guide, custom-diff-privacy (grammar) and dp-sql-capabilities (table of constructs).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from cleanrooms.rules.dialect import LEGACY_FORM
from cleanrooms.rules.flat import boolean_atoms
from cleanrooms.rules.private_groups import compared_columns, grouping_keys, outside_groups
from cleanrooms.rules.report import Report
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
    set_blocks,
)

_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp)
_RULE = "query structure of differential privacy"


class PrivateStructure:
    """Checks a query; violations go to the report.

    :param users: the user identifier columns of the private tables; None: every table may be private,
        and only what holds whatever their user columns are is checked
    """

    def __init__(self, users: set[BaseColumn] | None, report: Report) -> None:
        self.users, self.report = users, report
        self._shown_users: set[BaseColumn] = set()
        self._private: dict[int, bool] = {}

    def check(self, all_blocks: Sequence[Block], query: Query) -> None:
        """Check every SELECT and set operation.

        :param all_blocks: the SELECTs of the query and of all its definitions, used or not
        """
        final = {id(block) for block in final_blocks(query)}
        self._shown_users = compared_columns(all_blocks, self.users or set())
        if isinstance(query, SetBlock):
            self._add("DP_SHAPE", "Set operators are supported in common table expressions only.", query.node)
        for block in all_blocks:
            self._everywhere(block)
            self._joins(block)
            if id(block) in final:
                self._final(block)
            elif self._reads(block):
                self._user_level(block)
        for query_set in set_blocks(query):
            if query_set is not query and self._reads(query_set):
                self._gives_user(query_set)
                self._uncut(query_set)

    def _reads(self, query: Query) -> bool:
        known = self._private.get(id(query))
        if known is None:
            relations = [item for block in blocks(query) for item in block.relations]
            known = any(item.table is not None and self._is_private(item) for item in relations)
            self._private[id(query)] = known
        return known

    def _is_private(self, relation: Relation) -> bool:
        if relation.table is None:
            return relation.query is not None and self._reads(relation.query)
        return self.users is None or any(user.table == relation.table.name.lower() for user in self.users)

    def _is_user(self, target: Field | None) -> bool:
        """Whether a field is the user identifier itself, handed through unchanged."""
        return self.users is None or (
            target is not None and bool(target.bases) and target.bases <= self.users
        )

    def _tells_users_apart(self, block: Block, target: Field | None) -> bool:
        return self._is_user(target) and (target is None or not block.may_be_missing(target))

    def _gives_user(self, query: Query) -> None:
        """A column that an outer join fills with NULL does not do: NULL would stand for many users at once."""
        if not any(self._is_user(item) and not item.nullable for item in query.fields):
            message = "A query on private tables inside the query must give the user column."
            self._add("DP_USER_ID", message, query.node)

    def _everywhere(self, block: Block) -> None:
        node = block.node
        if node.args.get("hint"):
            self._add("DP_SHAPE", "Hints are not supported.", node.args["hint"])
        for lateral in node.args.get("laterals") or []:
            self._add("DP_SHAPE", "LATERAL VIEW is not supported.", lateral)
        for part in local_nodes(*(value for key, value in _parts(node) if key != "hint")):
            array = type(part).__module__.endswith("expressions.array") or isinstance(
                part, exp.ArrayAgg | exp.ArrayUniqueAgg | exp.Bracket
            )
            named = isinstance(part, exp.Anonymous) and part.name.upper().startswith(("ARRAY", "EXPLODE"))
            if array or named:
                self._add("DP_FUNCTION", "Array functions are not supported.", part)
            if alternative := _alternative(part):
                self._add("DP_FUNCTION", f"This form is not supported; {alternative}.", part)
            if isinstance(part, exp.Cube | exp.Rollup | exp.GroupingSets):
                self._add("DP_SHAPE", "Extended GROUP BY is not supported.", part)
        for inner in block.inner:
            if self._reads(inner):
                message = "Nested queries on private tables are supported in FROM and JOIN only."
                self._add("DP_SUBQUERY", message, inner.node)

    def _final(self, block: Block) -> None:
        node = block.node
        outputs = [*node.expressions, node.args.get("having"), node.args.get("order")]
        for part in local_nodes(*outputs):
            if isinstance(part, exp.Window):
                self._add("DP_SHAPE", "Window functions are not supported in the final SELECT.", part)
            elif is_aggregate(part) and not isinstance(part, _AGGREGATES):
                self._add("DP_AGGREGATE", "Only COUNT, SUM, AVG and STDDEV are supported.", part)
            elif isinstance(part.this, exp.Distinct) and not isinstance(part, exp.Count):
                self._add("DP_AGGREGATE", "DISTINCT is supported in COUNT only.", part)
        if not self._reads(block):
            return
        if not any(is_aggregate(part) for part in local_nodes(*node.expressions)):
            self._add("DP_SHAPE", "The final SELECT has no aggregate function.", *node.expressions[:1])
        elif single := outside_groups(block):
            self._add("DP_SHAPE", "Columns beside aggregates must be grouped.", *single)
        if block.lineage(*node.expressions, *grouping_keys(block)).shown & self._shown_users:
            message = "The user column, and what is compared with it or made of it, can only be aggregated at the end."
            self._add("DP_USER_ID", message, *node.expressions[:1])

    def _user_level(self, block: Block) -> None:
        node = block.node
        self._gives_user(block)
        self._uncut(block)
        for part in local_nodes(*node.iter_expressions()):
            if isinstance(part, exp.Window):
                keys = [key for key in part.args.get("partition_by") or [] if isinstance(key, exp.Column)]
                if not any(self._tells_users_apart(block, block.field_of(key)) for key in keys):
                    self._add("DP_WINDOW", "PARTITION BY must have the user column.", part)

    def _uncut(self, query: Query) -> None:
        """Whose rows are left after sorting and cutting depends on everybody's rows."""
        node = query.node
        if node.args.get("order"):
            message = "ORDER BY is supported in the final SELECT and in windows only."
            self._add("DP_SHAPE", message, node.args["order"])
        if cut := node.args.get("limit") or node.args.get("offset"):
            self._add("DP_SHAPE", "LIMIT is supported in the final SELECT only.", cut)

    def _joins(self, block: Block) -> None:
        private = {id(item) for item in block.relations if self._is_private(item)}
        seen = [item for item in block.relations[:1] if id(item) in private]
        by_node = {id(item.node): item for item in block.relations}
        for join in block.node.args.get("joins") or []:
            relation = by_node[id(join.this)]
            if join.args.get("using") and private:
                self._add("DP_JOIN", "USING and NATURAL are not supported.", join.this)
            elif self.users is None:
                continue
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


def _alternative(node: exp.Expression) -> str:
    """What the guide offers instead of a form that it does not support here."""
    form = node.meta.get(LEGACY_FORM)
    if form == "INTERVAL":
        return "write INTERVAL '1' SECOND"
    if form:
        return "write CAST"
    if isinstance(node, exp.BitwiseXor):
        return "use POWER"
    ordered = isinstance(node, exp.Window) and isinstance(node.this, exp.WithinGroup | exp.GroupConcat)
    return "use the aggregate with GROUP BY" if ordered else ""


def _parts(node: exp.Select) -> list[tuple[str, exp.Expression]]:
    found = []
    for key, value in node.args.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expression):
                found.append((key, item))
    return found
