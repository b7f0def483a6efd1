"""Checks of an analysis rule itself, before it is created."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cleanrooms.rules.model import AGGREGATION, CUSTOM, LIST, Violation
from cleanrooms.rules.policy_shapes import SHAPES, misshapen
from cleanrooms.rules.report import Report
from cleanrooms.rules.roles import AGGREGATES, SCALARS

_TEMPLATE = re.compile(
    r"arn:aws[a-z-]*:cleanrooms:[\w-]+:\d{12}:membership/[0-9a-f-]{36}/analysistemplate/[0-9a-f-]{36}"
)
_ACCOUNT = re.compile(r"\d{12}")
MINIMUMS = range(2, 100_001)
_ADDITIONAL = ("ALLOWED", "REQUIRED", "NOT_ALLOWED")
_KEYS = {AGGREGATION: "aggregation", LIST: "list", CUSTOM: "custom"}


def check_rule(
    columns: Mapping[str, str],
    rule_type: str,
    policy: Mapping[str, Any],
    *,
    existing: str | None = None,
    source: str = "GLUE",
) -> tuple[Violation, ...]:
    """Judge the rule that CreateConfiguredTableAnalysisRule would create.

    :param columns: the configured table's allowed columns, name to type
    :param rule_type: ``AGGREGATION``, ``LIST`` or ``CUSTOM``
    :param policy: ``analysisRulePolicy`` in AWS's JSON form
    :param existing: the type of the rule that the table already has
    :param source: ``GLUE``, ``ATHENA`` or ``SNOWFLAKE``: the table's data source
    :return: every violation; empty when the rule can be created
    """
    rule = _Rule(columns)
    if existing is not None:
        rule.add("ALREADY_EXISTS", f"The table has a rule of type {existing} already.", "Delete it first.")
    if source.upper() != "GLUE" and rule_type != CUSTOM:
        rule.add("SOURCE_RULE_TYPE", "Tables outside of S3 take custom rules only.", "Use a custom rule.")
    body = (policy.get("v1") or {}).get(_KEYS.get(rule_type, "")) if isinstance(policy, Mapping) else None
    if not isinstance(body, Mapping):
        rule.add("ENUM", f"The policy is no rule of type {rule_type}.", "Give v1 with the type's own member.")
    elif wrong := list(misshapen(body, SHAPES[rule_type])):
        rule.add("ENUM", f"{', '.join(wrong)}: not of the JSON form that the API has.", "Correct the form.")
    elif rule_type == AGGREGATION:
        rule.aggregation(body)
    elif rule_type == LIST:
        rule.listing(body)
    else:
        rule.custom(body)
        if source.upper() != "GLUE" and body.get("differentialPrivacy"):
            message = "Differential privacy protects tables in S3 only."
            rule.add("SOURCE_RULE_TYPE", message, "Leave differentialPrivacy out.")
    return tuple(rule.report.violations)


class _Rule:
    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = {name.lower(): str(kind).lower() for name, kind in columns.items()}
        self.report = Report()

    def add(self, code: str, message: str, fix: str) -> None:
        self.report.add(code, message, rule="analysis rule policy", fix=fix)

    def aggregation(self, rule: Mapping[str, Any]) -> None:
        entries = rule.get("aggregateColumns") or []
        constraints = rule.get("outputConstraints") or []
        aggregated = [name for entry in entries for name in entry.get("columnNames") or []]
        dimensions = self._list(rule, "dimensionColumns")
        joins = self._list(rule, "joinColumns")
        self._required(
            rule,
            "aggregateColumns",
            "joinColumns",
            "dimensionColumns",
            "scalarFunctions",
            "outputConstraints",
        )
        self._at_least_one("aggregateColumns", entries)
        self._at_least_one("outputConstraints", constraints)
        for entry in entries:
            self._at_least_one("columnNames", entry.get("columnNames"))
            self._one_of("function", entry.get("function"), AGGREGATES)
        for name in rule.get("scalarFunctions") or []:
            self._one_of("scalarFunctions", name, SCALARS)
        required = rule.get("joinRequired")
        if required is not None:
            self._one_of("joinRequired", required, ("QUERY_RUNNER",))
        for constraint in constraints:
            self._one_of("type", constraint.get("type"), ("COUNT_DISTINCT",))
            self._in_range("minimum", constraint.get("minimum"))
        self._known([*aggregated, *dimensions, *joins, *(item.get("columnName") for item in constraints)])
        self._exclusive("dimensionColumns", dimensions, "aggregateColumns", aggregated)
        self._exclusive("dimensionColumns", dimensions, "joinColumns", joins)
        self._common(rule, joins)

    def listing(self, rule: Mapping[str, Any]) -> None:
        joins, listed = self._list(rule, "joinColumns"), self._list(rule, "listColumns")
        self._required(rule, "joinColumns", "listColumns")
        self._at_least_one("joinColumns", joins)
        self._known([*joins, *listed])
        self._exclusive("joinColumns", joins, "listColumns", listed)
        self._common(rule, joins)

    def custom(self, rule: Mapping[str, Any]) -> None:
        analyses = list(rule.get("allowedAnalyses") or [])
        providers = list(rule.get("allowedAnalysisProviders") or [])
        wildcards = {"ANY_QUERY", "ANY_JOB"} & set(analyses)
        templates = [entry for entry in analyses if entry not in ("ANY_QUERY", "ANY_JOB")]
        if templates and (wildcards or providers):
            message = "Templates and providers exclude each other in allowedAnalyses."
            self.add("CUSTOM_EXCLUSIVE", message, "List templates, or ANY_QUERY with providers.")
        for entry in templates:
            if not _TEMPLATE.fullmatch(str(entry)):
                message = "allowedAnalyses has an entry that is no analysis template's ARN."
                self.add("ENUM", message, "List template ARNs, or ANY_QUERY or ANY_JOB.")
        for account in providers:
            if not _ACCOUNT.fullmatch(str(account)):
                message = "allowedAnalysisProviders has an entry that is no account id."
                self.add("ENUM", message, "Name accounts by their twelve digits.")
        if wildcards and not providers:
            message = "ANY_QUERY and ANY_JOB need allowedAnalysisProviders."
            self.add("CUSTOM_PROVIDERS", message, "Name the accounts.")
        self._known(rule.get("disallowedOutputColumns") or [])
        if rule.get("additionalAnalyses") is not None:
            self._one_of("additionalAnalyses", rule["additionalAnalyses"], _ADDITIONAL)
        self._controls(rule, jobs_only=bool(analyses) and set(analyses) == {"ANY_JOB"})

    def _controls(self, rule: Mapping[str, Any], *, jobs_only: bool) -> None:
        privacy = rule.get("differentialPrivacy")
        thresholds = rule.get("aggregationThresholds")
        comparisons = rule.get("comparisonControls")
        if privacy is not None:
            users = privacy.get("columns") or []
            self._exactly_one("differentialPrivacy.columns", users)
            self._known([item.get("name") for item in users])
        if (thresholds is not None or comparisons is not None) and (privacy is not None or jobs_only):
            message = "Thresholds and comparison controls exclude differential privacy and job-only rules."
            self.add("CUSTOM_EXCLUSIVE", message, "Keep one of them.")
        identities: list[str] = []
        if thresholds is not None:
            self._exactly_one("aggregationThresholds", thresholds)
            for threshold in thresholds:
                identities += self._threshold(threshold)
        if comparisons is not None:
            self._comparisons(comparisons, identities)

    def _threshold(self, threshold: Mapping[str, Any]) -> list[str]:
        identities = list(threshold.get("identityColumns") or [])
        self._exactly_one("identityColumns", identities)
        self._known(identities)
        for name in identities:
            kind = self.columns.get(str(name).lower(), "string")
            if not kind.startswith(("string", "varchar", "char")):
                message = f"Identity column {name} is not a string."
                self.add("CUSTOM_IDENTITY", message, "Name a string, varchar or char column.")
        self._one_of("type", threshold.get("type", "COUNT_DISTINCT"), ("COUNT_DISTINCT",))
        kind = threshold.get("allowedAggregateExpressionType", "COLUMNS_ONLY")
        self._one_of("allowedAggregateExpressionType", kind, ("COLUMNS_ONLY", "ANY_EXPRESSION"))
        self._in_range("minimumIdentityCount", threshold.get("minimumIdentityCount"))
        for override in threshold.get("outputColumnThresholds") or []:
            self._known([override.get("outputColumnName")])
            if override.get("minimumIdentityCount") != 0:
                self._in_range("minimumIdentityCount", override.get("minimumIdentityCount"))
        return [str(name).lower() for name in identities]

    def _comparisons(self, controls: Mapping[str, Any], identities: list[str]) -> None:
        literal = list(controls.get("allowedLiteralComparisonColumns") or [])
        self._known([*literal, *(controls.get("allowedColumnComparisonColumns") or [])])
        for name in literal:
            if str(name).lower() in identities:
                message = f"Identity column {name} cannot be compared with literals."
                self.add("CUSTOM_IDENTITY", message, "Take it off allowedLiteralComparisonColumns.")

    def _common(self, rule: Mapping[str, Any], joins: list[str]) -> None:
        operators = rule.get("allowedJoinOperators")
        for operator in operators or []:
            self._one_of("allowedJoinOperators", operator, ("AND", "OR"))
        if operators is not None and len(operators) > 2:
            self.add("RANGE", "allowedJoinOperators has more than two entries.", "Name AND, OR or both.")
        if rule.get("additionalAnalyses") is not None:
            self._one_of("additionalAnalyses", rule["additionalAnalyses"], _ADDITIONAL)

    @staticmethod
    def _list(rule: Mapping[str, Any], key: str) -> list[str]:
        return [str(name) for name in rule.get(key) or []]

    def _known(self, names: Iterable[Any]) -> None:
        for name in dict.fromkeys(names):
            if str(name).lower() not in self.columns:
                message = f"Column {name} is not an allowed column of the configured table."
                self.add("COLUMN_UNKNOWN", message, "Add it to allowedColumns, or leave it out.")

    def _exclusive(self, one: str, left: list[str], other: str, right: list[str]) -> None:
        for name in sorted({item.lower() for item in left} & {item.lower() for item in right}):
            message = f"Column {name} cannot be in {one} and {other}."
            self.add("ROLE_CONFLICT", message, "Keep it in one of them.")

    def _required(self, rule: Mapping[str, Any], *keys: str) -> None:
        for key in keys:
            if rule.get(key) is None:
                self.add("RANGE", f"{key} is missing.", "Give it, even as an empty list.")

    def _at_least_one(self, key: str, values: Any) -> None:
        if not values:
            self.add("RANGE", f"{key} needs at least one entry.", "Name at least one.")

    def _exactly_one(self, key: str, values: Any) -> None:
        if len(values) != 1:
            self.add("RANGE", f"{key} takes exactly one entry.", "Name exactly one.")

    def _in_range(self, key: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value not in MINIMUMS:
            self.add("RANGE", f"{key} must be from 2 to 100000.", "Choose a number in the range.")

    def _one_of(self, key: str, value: Any, known: Iterable[str]) -> None:
        if value not in known:
            self.add("ENUM", f"{key} has a value that the service does not know.", f"Use {', '.join(known)}.")
