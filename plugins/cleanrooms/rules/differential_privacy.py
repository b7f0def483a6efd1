"""Queries on tables under differential privacy: whose tables, from which budget, of which structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cleanrooms.rules.model import Submission, Table
from cleanrooms.rules.private_structure import PrivateStructure
from cleanrooms.rules.report import Report
from cleanrooms.rules.roles import CustomRule
from cleanrooms.rules.scope import BaseColumn, Block, Query

EXHAUSTED = (
    "You do not have enough aggregations remaining to run this query on the data from {owner}. "
    "You can wait for the utility to refresh or contact the data owner to provide you more utility."
)
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
    if any(rule.threshold for rule in rules.values()):
        # A blurred count enforces no minimum, and an exact one would tell about a private person.
        message = "Tables with aggregation thresholds and private tables cannot be queried together."
        report.add("DP_SHAPE", message, rule=_RULE, fix="Query them one after the other.")
    users = {BaseColumn(name, rule.user) for name, rule in rules.items() if rule.user}
    PrivateStructure(users, report).check(all_blocks, query)


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
