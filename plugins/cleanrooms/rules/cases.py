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
from cleanrooms.rules.case_context import Situation
from cleanrooms.rules.check import check
from cleanrooms.rules.model import ID_MAPPING_TABLE, Table, Template, Verdict, Violation
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
        self.accounts: Mapping[str, str] = {
            str(key): str(value) for key, value in (content.get("accounts") or {}).items()
        }
        fixtures = content.get("fixtures") or {}
        self.tables: Mapping[str, Any] = fixtures.get("tables") or {}
        self.templates: Mapping[str, Any] = fixtures.get("templates") or {}
        self.cases: list[Mapping[str, Any]] = list(content.get("cases") or [])
        self.runner = self.accounts.get("A", "")

    @classmethod
    def load(cls, path: Path) -> Corpus:
        """Read a file. ``extends`` names another one beside it, whose accounts and fixtures it uses too.

        :raises ConfigError: the file is no corpus
        """
        content = _mapping(path)
        if not isinstance(content.get("cases"), list):
            raise ConfigError(f"{path} has no list of cases.", "Add the key cases.")
        if content.get("extends"):
            base = _mapping(path.parent / str(content["extends"]))
            content["accounts"] = {**(base.get("accounts") or {}), **(content.get("accounts") or {})}
            content["fixtures"] = {
                kind: {
                    **(base["fixtures"].get(kind) or {}),
                    **((content.get("fixtures") or {}).get(kind) or {}),
                }
                for kind in ("tables", "templates")
            }
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
            submission_facts=Situation(self, case).facts(),
        )

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


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML.", "Name a file of rule cases.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is no file of rule cases.", "Add the key cases.")
    return content


def _same(known: str, ours: str) -> bool:
    """Whether a message is the known one; ``<account>`` stands for any account."""
    before, marker, after = known.partition("<account>")
    return ours == known if not marker else ours.startswith(before) and ours.endswith(after)
