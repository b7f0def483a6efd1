"""The grammar of list queries: SELECT DISTINCT of list columns over inner joins, with WHERE and LIMIT."""

from __future__ import annotations

from sqlglot import exp

from cleanrooms.rules.flat import Clauses, bare, is_call, stars
from cleanrooms.rules.joins import check_joins
from cleanrooms.rules.parse import Script
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import Block, Field

_RULE = "query grammar of the list rule"


class Listing:
    """Checks one SELECT under list rules."""

    def __init__(self, block: Block, report: Report) -> None:
        self.block, self.report = block, report
        self.clauses = Clauses(block, report)

    def check(self, script: Script, runner: str) -> None:
        """Run all checks of the rule; violations go to the report."""
        self.clauses.outside_grammar(script)
        self._shape()
        has_star = stars(self.clauses)
        check_joins(self.clauses, runner)
        if not has_star:
            self._select()
        self.clauses.where(self._function)

    def _shape(self) -> None:
        node = self.block.node
        if not node.args.get("distinct"):
            self._add("DISTINCT_MISSING", "SELECT DISTINCT is required.", *node.expressions[:1])
        for part, code, word in (
            ("group", "GROUP_BY", "GROUP BY"),
            ("having", "GROUP_BY", "HAVING"),
            ("order", "ORDER_BY", "ORDER BY"),
            ("offset", "LIMIT", "OFFSET"),
        ):
            if node.args.get(part):
                self._add(code, f"{word} is not supported.", node.args[part])
        limit = node.args.get("limit")
        if limit is not None and not _is_row_count(limit):
            self._add("LIMIT", "LIMIT takes a positive whole number.", limit)

    def _select(self) -> None:
        shown: list[tuple[exp.Column, Field]] = []
        for item in self.block.node.expressions:
            node = bare(item)
            if isinstance(node, exp.Column):
                target = self.block.field_of(node)
                shown += [(node, target)] if target is not None else []
            elif isinstance(node, exp.Subquery | exp.Window):
                continue
            elif is_call(node):
                self._function(node, "COLUMN_IN_SELECT")
            else:
                self._add("SELECT_SHAPE", "Only columns can be selected.", node)
                shown += self.clauses.columns(node)
        self.clauses.forbidden("COLUMN_IN_SELECT", "select", shown)

    def _function(self, node: exp.Expression, code: str) -> None:
        self._add("FUNCTION", "Functions are not supported.", node)
        self.clauses.forbidden(code, code.removeprefix("COLUMN_IN_").lower(), self.clauses.columns(node))

    def _add(self, code: str, message: str, *nodes: exp.Expression) -> None:
        self.report.add(code, message, *nodes, rule=_RULE, fix="Leave it out." if code != "DISTINCT_MISSING"
                        else "Write SELECT DISTINCT.")  # fmt: skip


def _is_row_count(limit: exp.Expression) -> bool:
    count = limit.expression if isinstance(limit, exp.Limit) else None
    return isinstance(count, exp.Literal) and count.is_int and int(count.name) > 0
