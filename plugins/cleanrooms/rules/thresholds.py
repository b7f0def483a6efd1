"""Minimum aggregation thresholds: every row that comes out stands for enough distinct identities.

The identities are carried along. Below the final SELECT each derived table, CTE and cached table gets
hidden columns, one per reference of a protected table: the identity itself where a row still belongs to
one, or the set of identities where rows were aggregated. The final SELECT then keeps a row only if every
protected reference counts enough identities in it. What cannot be followed in this way is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from sqlglot import exp

from cleanrooms.rules import unions
from cleanrooms.rules.carriers import (
    Carrier,
    extend_alias,
    group_condition,
    is_key,
    number,
    row_condition,
    union_of_sets,
)
from cleanrooms.rules.constraints import add_having, add_where
from cleanrooms.rules.flat import bare
from cleanrooms.rules.functions import is_position, summarises
from cleanrooms.rules.names import canonical
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.roles import CustomRule
from cleanrooms.rules.scope import Block, Query, SetBlock, blocks, final_blocks, local_nodes


class Thresholds:
    """Rewrites an accepted query in place."""

    def __init__(self, rules: Mapping[str, CustomRule], report: Report) -> None:
        self.rules, self.report = rules, report
        self._carried: dict[int, list[Carrier]] = {}
        self._roots: dict[int, exp.Select] = {}
        self._taken: set[str] = set()

    def enforce(self, query: Query) -> None:
        """Add the hidden columns and the conditions.

        :raises RefusedError: the identities cannot be followed; the report says where
        """
        self._taken = {
            identifier.name.lower()
            for block in blocks(query)
            for identifier in block.node.find_all(exp.Identifier)
        }
        for block in final_blocks(query):
            self._final(block)

    def _fresh(self, pattern: str) -> str:
        """A name that the query does not use: its own column would stand for the hidden one otherwise."""
        name = next(name for at in count(1) if (name := pattern.format(at)) not in self._taken)
        self._taken.add(name)
        return name

    def _final(self, block: Block) -> None:
        carriers = self._incoming(block)
        if not carriers or self._exempt(block):
            return
        limits = [(carrier, self._minimum(carrier, block)) for carrier in carriers]
        wanted = [(carrier, minimum) for carrier, minimum in limits if minimum > 0]
        node = block.node
        if not block.grouped():
            if node.args.get("distinct") and not _windows(block):
                self._distinct_as_group(block)
            else:
                add_where(node, [row_condition(carrier, minimum) for carrier, minimum in wanted])
                return
        add_having(node, [group_condition(carrier, minimum) for carrier, minimum in wanted])

    def _nested(self, query: Query) -> list[Carrier]:
        """The hidden columns that a nested query offers; their alias is empty."""
        if id(query) not in self._carried:
            carried = self._union(query) if isinstance(query, SetBlock) else self._inner(query)
            self._carried[id(query)] = carried
        return self._carried[id(query)]

    def _union(self, query: SetBlock) -> list[Carrier]:
        if not any(self._protected(leg) for leg in final_blocks(query)):
            return []
        distinct = query.node.args.get("distinct")
        cut = any(query.node.args.get(part) for part in ("limit", "offset"))
        if not isinstance(query.node, exp.Union) or (distinct and cut):
            raise self._refusal("Only UNION of protected tables, without LIMIT, can be nested.", query.node)
        if distinct:
            unions.keep_all_inside(query)
        left, right = self._nested(query.left), self._nested(query.right)
        same = len(left) == len(right) == 1 and (left[0].table, left[0].many) == (
            right[0].table,
            right[0].many,
        )
        if not same:
            raise self._refusal("The legs of a nested UNION must protect the same table.", query.node)
        return [self._distinct_union(query, left[0])] if distinct else left

    def _distinct_union(self, query: SetBlock, carrier: Carrier) -> Carrier:
        """UNION as UNION ALL whose rows are then grouped, which can carry identities."""
        alias = self._fresh("union_{}")
        wrapped = unions.grouped(query, alias, carrier.column)
        if wrapped is None:
            raise self._refusal("The columns of a nested UNION need names of their own.", query.node)
        self._roots[id(query)] = wrapped
        name = self._fresh(f"identity_{{}}_of_{carrier.table}")
        inner = Carrier(carrier.table, alias, carrier.column, carrier.many, carrier.threshold)
        value = union_of_sets(inner.value()) if inner.many else exp.ArrayUniqueAgg(this=inner.value())
        wrapped.append("expressions", exp.Alias(this=value, alias=exp.to_identifier(name)))
        return Carrier(carrier.table, "", name, True, carrier.threshold)

    def _inner(self, block: Block) -> list[Carrier]:
        carriers = self._incoming(block)
        if not carriers:
            return []
        windows = _windows(block)
        if block.node.args.get("distinct") and not block.grouped():
            if windows:
                raise self._refusal("DISTINCT beside window functions cannot be followed.", block.node)
            self._distinct_as_group(block)
        grouped = block.grouped() or block.node.args.get("group") is not None
        if grouped and windows:
            # Other groups' values reach a row through the window: small groups must be gone before.
            add_having(block.node, [group_condition(item, item.threshold.minimum) for item in carriers])
        if windows and not grouped:
            sets = [item for item in carriers if item.many]
            add_where(block.node, [row_condition(item, item.threshold.minimum) for item in sets])
            self._check_windows(windows, [item for item in carriers if not item.many])
        return [self._carry(block, carrier, grouped) for carrier in carriers]

    def _carry(self, block: Block, carrier: Carrier, grouped: bool) -> Carrier:
        name = self._fresh(f"identity_{{}}_of_{carrier.table}")
        value: exp.Expression = carrier.value()
        many = carrier.many
        if grouped and not (not many and is_key(block, value)):
            value = union_of_sets(value) if many else exp.ArrayUniqueAgg(this=value)
            many = True
        block.node.append("expressions", exp.Alias(this=value, alias=exp.to_identifier(name)))
        return Carrier(carrier.table, "", name, many, carrier.threshold)

    def _incoming(self, block: Block) -> list[Carrier]:
        for inner in block.inner:
            if any(self._protected(part) for part in blocks(inner)):
                raise self._refusal(
                    "Nested queries on protected tables are supported in FROM only.", inner.node
                )
        found: list[Carrier] = []
        for relation in block.relations:
            if relation.table is not None:
                rule = self.rules.get(relation.table.name.lower())
                if rule is not None and rule.threshold is not None:
                    name = relation.table.name.lower()
                    found.append(
                        Carrier(name, relation.alias, rule.threshold.identity, False, rule.threshold)
                    )
            elif relation.query is not None:
                offered = self._nested(relation.query)
                root = self._roots.get(id(relation.query), relation.query.node)
                extend_alias(relation.node, root, offered)
                found += [
                    Carrier(item.table, relation.alias, item.column, item.many, item.threshold)
                    for item in offered
                ]
        return found

    def _protected(self, block: Block) -> bool:
        return any(
            (rule := self.rules.get(relation.table.name.lower())) is not None and rule.threshold is not None
            for part in blocks(block)
            for relation in part.relations
            if relation.table is not None
        )

    def _exempt(self, block: Block) -> bool:
        """A count over one table without grouping and join: the service does not apply the threshold."""
        node = block.node
        if len(block.relations) != 1 or block.relations[0].table is None or block.inner:
            return False
        if any(node.args.get(part) for part in ("group", "having", "distinct", "joins", "laterals")):
            return False
        return all(isinstance(bare(item), exp.Count | exp.ApproxDistinct) for item in node.expressions)

    @staticmethod
    def _minimum(carrier: Carrier, block: Block) -> int:
        """The highest minimum among the output columns; a column without an override has the table's."""
        columns = {
            base.column
            for item in block.fields
            for base in item.lineage.origins
            if base.table == carrier.table
        }
        default = carrier.threshold.minimum
        return max((carrier.threshold.overrides.get(name, default) for name in columns), default=default)

    def _check_windows(self, windows: Sequence[exp.Window], carriers: Sequence[Carrier]) -> None:
        """Below the final SELECT a window may not bring one person's value into another person's row."""
        for window in windows:
            function = window.this
            whole = not window.args.get("order") and not window.args.get("spec")
            safe = is_position(function) or (whole and summarises(function))
            keys = {canonical(bare(key)) for key in window.args.get("partition_by") or []}
            own = all(canonical(item.value()) in keys for item in carriers)
            if not safe and not own:
                raise self._refusal(
                    "A window over several people's rows cannot be used inside the query; partition it by "
                    "the identity column.",
                    window,
                )

    @staticmethod
    def _distinct_as_group(block: Block) -> None:
        """SELECT DISTINCT a, b as GROUP BY a, b, which can carry identities."""
        node = block.node
        keys = [item.unalias().copy() for item in node.expressions if item.find(exp.Column)]
        for item, key in zip([i for i in node.expressions if i.find(exp.Column)], keys, strict=True):
            for original, copy in zip(
                item.unalias().find_all(exp.Column), key.find_all(exp.Column), strict=True
            ):
                target = block.field_of(original)
                if target is not None:
                    block.resolved[id(copy)] = target
        node.set("distinct", None)
        if keys:
            node.set("group", exp.Group(expressions=keys))
        else:
            # Constants only: one row if there is any, decided by the conditions of an aggregate query.
            node.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=number(0))))

    def _refusal(self, message: str, node: exp.Expression) -> RefusedError:
        self.report.add(
            "SQL_SURFACE",
            message,
            node,
            rule="aggregationThresholds",
            fix="Write the query so that each row's identities can be counted.",
        )
        return RefusedError()


def _windows(block: Block) -> list[exp.Window]:
    order = block.node.args.get("order")
    roots = [*block.node.expressions, *([order] if order is not None else [])]
    return [node for node in local_nodes(*roots) if isinstance(node, exp.Window)]
