"""Runs a file of rule cases: queries, results, submissions and rules with the verdict each must get.

The format is that of ``tests/cases/rules.yaml``: tables and templates under ``fixtures``, defined once and
referred to by name; data owners use it for their own cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from cleanrooms.errors import ConfigError
from cleanrooms.rules.check import check
from cleanrooms.rules.model import ID_MAPPING_TABLE, Submission, Table, Template, Verdict, Violation
from cleanrooms.rules.policies import check_rule
from cleanrooms.rules.sample_engine import EngineMissingError, run_on_rows


@dataclass(frozen=True)
class Outcome:
    """One case and what came of it.

    :param agrees: verdict, code and rows are as expected; None when an engine is missing
    :param message_agrees: whether a violation has the real message; None where none is known
    """

    id: str
    confidence: str
    expected: str
    codes: tuple[str, ...]
    agrees: bool | None
    message_agrees: bool | None = None
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The outcome for JSON."""
        return asdict(self)


class Corpus:
    """The cases of one file."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.accounts = {str(key): str(value) for key, value in (content.get("accounts") or {}).items()}
        fixtures = content.get("fixtures") or {}
        self.tables: Mapping[str, Any] = fixtures.get("tables") or {}
        self.templates: Mapping[str, Any] = fixtures.get("templates") or {}
        self.cases: list[Mapping[str, Any]] = list(content.get("cases") or [])
        self.runner = self.accounts.get("A", "")

    @classmethod
    def load(cls, path: Path) -> Corpus:
        """Read a file.

        :raises ConfigError: the file is no corpus
        """
        try:
            content = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ConfigError(f"{path} cannot be read as YAML.", "Name a file of rule cases.") from error
        if not isinstance(content, dict) or not isinstance(content.get("cases"), list):
            raise ConfigError(f"{path} has no list of cases.", "Add the key cases.")
        return cls(content)

    def table(self, name: str) -> Table:
        """A fixture as the checks see it."""
        spec = self.tables[name]
        owner = self.account(spec["owner"])
        rule_type = spec.get("analysisRuleType")
        default = {"allowedResultReceivers": [self.runner]}
        return Table(
            name=name,
            owner=owner,
            columns=spec["columns"],
            rule_type=ID_MAPPING_TABLE if spec.get("schemaType") == ID_MAPPING_TABLE else rule_type,
            policy=spec.get("analysisRulePolicy"),
            association_rule=spec.get("associationRule", default),
            analysis_method=spec.get("analysisMethod", "DIRECT_QUERY"),
            hidden_columns=frozenset(spec.get("hiddenColumns") or ()),
        )

    def template(self, name: str) -> Template:
        """A template fixture."""
        spec = self.templates[name]
        return Template(
            arn=spec["arn"],
            creator=self.account(spec["createdBy"]),
            sql=spec["text"],
            parameters=spec.get("parameters") or (),
            available="collaboration" not in spec,
        )

    def account(self, name: str) -> str:
        """An account id, given by its letter or itself."""
        return self.accounts.get(str(name), str(name))

    def verdict(self, case: Mapping[str, Any]) -> Verdict:
        """Check the query or submission of a case."""
        names = case.get("tables") or []
        receivers = [self.account(name) for name in case.get("receivers") or ["A"]]
        runner = self.account(case.get("runner") or "A")
        return check(
            case.get("query"),
            {name: self.table(name) for name in names},
            runner=runner,
            receivers=receivers,
            template=self.template(case["template"]) if case.get("template") else None,
            parameters=case.get("parameters"),
            submission_facts=self._facts(case, receivers),
        )

    def _facts(self, case: Mapping[str, Any], receivers: list[str]) -> Submission:
        context = case.get("context") or {}
        inactive = [
            self.account(name) for key in _INACTIVE_KEYS for name in _listed(context.get(key))
        ]  # fmt: skip
        budgets = {
            name: int(self.tables[name]["accessBudget"]["remaining"])
            for name in case.get("tables") or []
            if self.tables[name].get("accessBudget")
        }
        named = case.get("receivers")
        return Submission(
            can_query=self.runner,
            can_receive=frozenset(self._can_receive(case, context, named or ["A"])),
            inactive=frozenset(inactive),
            payer=self.account(context.get("payer") or case.get("payer") or "A"),
            output=context.get("outputConfiguration"),
            result_bucket=context.get("resultBucket"),
            data_buckets=frozenset(_listed(context.get("dataBucket"))),
            running_queries=int(context.get("runningQueries") or 0),
            access_budgets=budgets,
            privacy_budget=context.get("privacyBudgetTemplate", True) is not None,
            privacy_remaining=context.get("remaining"),
        )

    def _can_receive(
        self, case: Mapping[str, Any], context: Mapping[str, Any], named: list[str]
    ) -> list[str]:
        """Who has CAN_RECEIVE_RESULTS: what the context says, else the runner and the owners of the tables."""
        listed = context.get("canReceiveResults")
        if listed is not None:
            return [self.account(name) for name in _listed(listed)]
        allowed = {
            receiver
            for name in case.get("tables") or []
            for receiver in (self.table(name).association_rule or {}).get("allowedResultReceivers") or ()
        }
        return [self.runner, *allowed, *(self.table(name).owner for name in case.get("tables") or [])]

    def run(self, case: Mapping[str, Any]) -> Outcome:
        """Run one case."""
        if case.get("kind") == "rule":
            violations: tuple[Violation, ...] = check_rule(
                case["columns"],
                case["type"],
                case["policy"],
                existing=case.get("existing"),
                source=case.get("source_type") or (case.get("context") or {}).get("source") or "GLUE",
            )
            return self._judge(case, not violations, violations, "")
        verdict = self.verdict(case)
        outcome = self._judge(case, verdict.accepted, verdict.violations, verdict.sql or "")
        if case.get("kind") != "result" or not outcome.agrees or not verdict.sql:
            return outcome
        return self._with_rows(case, outcome, verdict.sql)

    def _judge(
        self, case: Mapping[str, Any], accepted: bool, violations: tuple[Violation, ...], sql: str
    ) -> Outcome:
        codes = tuple(dict.fromkeys(violation.code for violation in violations))
        expected = "OK" if case["expect"] == "allow" else case["code"]
        agrees = accepted if expected == "OK" else expected in codes
        message = case.get("message")
        said = None if message is None else any(_same(message, item.message) for item in violations)
        detail = "; ".join(str(item) for item in violations) if violations else sql
        return Outcome(case["id"], case.get("confidence", "high"), expected, codes, agrees, said, detail)

    def _with_rows(self, case: Mapping[str, Any], outcome: Outcome, sql: str) -> Outcome:
        tables = {name: self.tables[name] for name in case["tables"] if "rows" in self.tables[name]}
        try:
            rows = run_on_rows(sql, {name: (spec["columns"], spec["rows"]) for name, spec in tables.items()})
        except EngineMissingError as error:
            return Outcome(outcome.id, outcome.confidence, outcome.expected, (), None, None, str(error))
        wanted = [tuple(row) for row in case["expect_rows"]]
        if "order by" not in (case.get("query") or "").lower():
            rows, wanted = sorted(rows, key=repr), sorted(wanted, key=repr)
        detail = (
            ""
            if rows == wanted
            else f"{len(rows)} rows came out, {len(wanted)} were expected, or they differ."
        )
        return Outcome(
            outcome.id, outcome.confidence, outcome.expected, outcome.codes, rows == wanted, None, detail
        )


_INACTIVE_KEYS = ("inactive", "inactiveMembers", "inactiveReceivers")


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _same(known: str, ours: str) -> bool:
    """Whether a message is the known one; ``<account>`` stands for any account."""
    before, marker, after = known.partition("<account>")
    return ours == known if not marker else ours.startswith(before) and ours.endswith(after)
