"""The disclosure guard: is this table safe to publish?

It looks at the file itself and trusts nothing that was promised about it. Each check is a function of the
table and the query that returns a :class:`Finding`; checks that need more (earlier releases, budgets) close
over it and are appended to the list. Findings carry counts, never values, and never the size of a group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from cleanrooms.config.collaboration import Query
from cleanrooms.errors import ReleaseRefused

Judgement = Literal["passed", "flagged", "refused"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    :param check: name of the check
    :param claim: the property that was checked, as a sentence that holds when the check passed
    :param judgement: ``flagged`` is worth telling, ``refused`` stops the release
    :param detail: what was found otherwise; empty when passed
    :param counts: small facts, numbers of rows or groups
    """

    check: str
    claim: str
    judgement: Judgement = "passed"
    detail: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


Check = Callable[[pa.Table, Query], Finding]


@dataclass(frozen=True)
class GuardReport:
    """All findings on one table."""

    query: str
    rows: int
    group_column: str
    minimum_group: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not self.refusals

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.judgement == "refused")

    @property
    def flags(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.judgement == "flagged")

    def as_json(self) -> dict[str, Any]:
        """Plain data for XCom, the release record and the ledger."""
        return {
            "query": self.query,
            "rows": self.rows,
            "group_column": self.group_column,
            "minimum_group": self.minimum_group,
            "passed": self.passed,
            "findings": [
                {
                    "check": finding.check,
                    "claim": finding.claim,
                    "judgement": finding.judgement,
                    "detail": finding.detail,
                    "counts": dict(finding.counts),
                }
                for finding in self.findings
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GuardReport:
        """The report that :meth:`as_json` wrote."""
        findings = tuple(Finding(**finding) for finding in data["findings"])
        return cls(data["query"], data["rows"], data["group_column"], data["minimum_group"], findings)


def group_size(table: pa.Table, query: Query) -> Finding:
    """Every row counts at least the minimum number of people; null and negative do not."""
    claim = f"every row counts at least {query.minimum_group} in {query.group_size}"
    column = table[query.group_size]
    if not (pa.types.is_integer(column.type) or pa.types.is_decimal(column.type)):
        detail = f"{query.group_size} is {column.type}: people are counted in whole or decimal numbers"
        return Finding("group_size", claim, "refused", detail)
    below = _count(pc.less(column, query.minimum_group))
    negative = _count(pc.less(column, 0))
    counts = {"null": column.null_count, "negative": negative, "below_minimum": below - negative}
    words = {"null": "no value", "negative": "a negative number", "below_minimum": "less than the minimum"}
    if not any(counts.values()):
        return Finding("group_size", claim)
    bad = ", ".join(f"{words[name]} in {n}" for name, n in counts.items() if n)
    detail = f"{query.group_size} (minimum {query.minimum_group}) has {bad} of {table.num_rows} rows"
    return Finding("group_size", claim, "refused", detail, counts)


def unique_groups(table: pa.Table, query: Query) -> Finding:
    """One row per group: a group in pieces is malformed, and its pieces tell more than the group."""
    if query.dimensions:
        groups = table.group_by(list(query.dimensions)).aggregate([([], "count_all")])
        repeated = _count(pc.greater(groups["count_all"], 1))
        claim = f"each combination of {', '.join(query.dimensions)} occurs once"
    else:
        repeated = int(table.num_rows > 1)
        claim = "there is at most one row, as the query has no dimensions"
    if not repeated:
        return Finding("unique_groups", claim)
    detail = f"{repeated} groups of {query.name} occur more than once"
    return Finding("unique_groups", claim, "refused", detail, {"repeated": repeated})


def named_groups(table: pa.Table, query: Query) -> Finding:
    """A null in a dimension makes a group without a name: lawful SQL, but worth a reader's attention."""
    claim = "every group has a value in each dimension"
    counts = {name: n for name in query.dimensions if (n := table[name].null_count)}
    if not counts:
        return Finding("named_groups", claim)
    detail = "no value in: " + ", ".join(f"{name} ({n} rows)" for name, n in counts.items())
    return Finding("named_groups", claim, "flagged", detail, counts)


CHECKS: tuple[Check, ...] = (group_size, unique_groups, named_groups)


def examine(table: pa.Table, query: Query, checks: Sequence[Check] = CHECKS) -> GuardReport:
    """All checks on a table in its declared columns (``collect`` makes it); refuses nothing by itself."""
    findings = tuple(check(table, query) for check in checks)
    return GuardReport(query.name, table.num_rows, query.group_size, query.minimum_group, findings)


def guard(table: pa.Table, query: Query, checks: Sequence[Check] = CHECKS) -> GuardReport:
    """Let a table pass, or refuse it with everything that speaks against it.

    :raises ReleaseRefused: at least one check refused; names columns and counts, never values
    """
    report = examine(table, query, checks)
    if not report.passed:
        raise ReleaseRefused(
            f"Result of query {query.name} was held back: "
            + "; ".join(finding.detail for finding in report.refusals)
            + ".",
            "Nothing was published. Compare the query and its rules with minimum_group and dimensions "
            "in the collaboration's file.",
            query=query.name,
            guard=report.as_json(),
        )
    return report


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0
