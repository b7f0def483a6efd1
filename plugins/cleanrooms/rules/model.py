"""The plain data that a verdict is made from and the verdict itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cleanrooms.errors import RuleViolationError

AGGREGATION = "AGGREGATION"
LIST = "LIST"
CUSTOM = "CUSTOM"
ID_MAPPING_TABLE = "ID_MAPPING_TABLE"
RULE_TYPES = (AGGREGATION, LIST, CUSTOM, ID_MAPPING_TABLE)


@dataclass(frozen=True)
class Table:
    """One configured table association as a query sees it.

    :param name: association name, which is the table's name in SQL
    :param owner: AWS account id of the member who brought the table
    :param columns: the allowed columns, name to Hive/Glue type, partition keys included
    :param rule_type: ``AGGREGATION``, ``LIST``, ``CUSTOM``, ``ID_MAPPING_TABLE``; None without a rule
    :param policy: the ``analysisRulePolicy`` in AWS's own JSON form
    :param association_rule: the collaboration analysis rule
        (``allowedResultReceivers``, ``allowedAdditionalAnalyses``); None when none was created
    :param analysis_method: ``DIRECT_QUERY``, ``DIRECT_JOB`` or ``MULTIPLE``
    :param hidden_columns: columns that Glue has and the configured table leaves out
    """

    name: str
    owner: str
    columns: Mapping[str, str]
    rule_type: str | None = None
    policy: Mapping[str, Any] | None = None
    association_rule: Mapping[str, Any] | None = None
    analysis_method: str = "DIRECT_QUERY"
    hidden_columns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Template:
    """An analysis template: its text never changes, its parameters are AWS ``AnalysisParameter`` maps.

    :param available: False when the template belongs to another collaboration and cannot be used here
    """

    arn: str
    creator: str
    sql: str
    parameters: Sequence[Mapping[str, Any]] = ()
    available: bool = True


@dataclass(frozen=True)
class Submission:
    """Facts of one StartProtectedQuery call beyond text and tables; None means: not known, not checked.

    :param can_query: the account with the ability CAN_QUERY
    :param can_receive: the accounts with CAN_RECEIVE_RESULTS
    :param inactive: accounts whose membership is not ACTIVE
    :param payer: the account that pays for the query
    :param output: ``outputConfiguration`` in AWS's JSON form
    :param result_bucket: bucket that the result is written to
    :param data_buckets: buckets that the tables of the query are read from
    :param running_queries: queries of the runner's membership that are neither finished nor cancelled
    :param access_budgets: remaining uses per table name, for the tables that have an access budget
    :param privacy_budget: False when the collaboration has no differential privacy budget template
    :param privacy_remaining: aggregations that the differential privacy budget still allows
    """

    can_query: str | None = None
    can_receive: frozenset[str] | None = None
    inactive: frozenset[str] = frozenset()
    payer: str | None = None
    output: Mapping[str, Any] | None = None
    result_bucket: str | None = None
    data_buckets: frozenset[str] = frozenset()
    running_queries: int = 0
    access_budgets: Mapping[str, int] = field(default_factory=dict)
    privacy_budget: bool = True
    privacy_remaining: int | None = None


@dataclass(frozen=True)
class Violation:
    """One reason for a refusal.

    :param code: our stable code, see :data:`cleanrooms.rules.codes.CODES`
    :param message: what is wrong, in the service's own words where they are known
    :param text: the offending SQL; literals are masked as ``?``
    :param line: position in the text that was checked, counted from 1; None without a position
    :param column: see ``line``
    :param rule: the field or sentence of the rule that is broken
    :param fix: what to change
    """

    code: str
    message: str
    text: str = ""
    line: int | None = None
    column: int | None = None
    rule: str = ""
    fix: str = ""

    def __str__(self) -> str:
        where = f" at line {self.line}, column {self.column}" if self.line is not None else ""
        parts = [f"{self.code}{where}: {self.message}"]
        parts += [f"Text: {self.text}"] if self.text else []
        parts += [f"Rule: {self.rule}"] if self.rule else []
        parts += [f"Fix: {self.fix}"] if self.fix else []
        return " | ".join(parts)


@dataclass(frozen=True)
class Verdict:
    """The answer to one query.

    :param accepted: whether the rules allow the query
    :param violations: every reason against it, in the order in which the checks run
    :param sql: the constrained query in Spark's dialect: parameters bound, columns qualified, result
        constraints injected; None when refused
    :param tables: names of the associations that the query reads, in order of appearance
    :param output_columns: names of the result's columns
    """

    accepted: bool
    violations: tuple[Violation, ...] = ()
    sql: str | None = None
    tables: tuple[str, ...] = ()
    output_columns: tuple[str, ...] = ()

    def require(self) -> str:
        """The constrained query.

        :raises RuleViolationError: the query is refused; the message lists every violation
        """
        if self.sql is None or not self.accepted:
            reasons = "; ".join(str(violation) for violation in self.violations)
            raise RuleViolationError(
                f"The query breaks {len(self.violations)} rule(s): {reasons}",
                "Change the query as each fix says, or ask the table's owner to change the rule.",
                codes=[violation.code for violation in self.violations],
            )
        return self.sql
