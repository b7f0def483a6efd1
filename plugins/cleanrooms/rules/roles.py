"""Analysis rules as data: AWS's policy JSON read into the roles that each column has.

A field that is missing or malformed reads as empty, which permits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cleanrooms.rules.model import ID_MAPPING_TABLE, Table

AGGREGATES = ("COUNT", "COUNT_DISTINCT", "SUM", "SUM_DISTINCT", "AVG")
SCALARS = (
    "ABS", "CAST", "CEILING", "COALESCE", "CONVERT", "CURRENT_DATE", "DATEADD", "EXTRACT", "FLOOR", "GETDATE",
    "LN", "LOG", "LOWER", "ROUND", "RTRIM", "SQRT", "SUBSTRING", "TO_CHAR", "TO_DATE", "TO_NUMBER",
    "TO_TIMESTAMP", "TRIM", "TRUNC", "UPPER",
)  # fmt: skip


@dataclass(frozen=True)
class FlatRule:
    """What an aggregation or list rule (or a mapping table beside them) lets a query do with columns.

    :param shown: dimension or list columns: usable in SELECT and WHERE
    :param joins: join columns
    :param operators: logical operators permitted inside ON
    :param aggregates: per column the functions that may be applied to it
    :param scalars: scalar functions permitted on ``shown`` columns
    :param constraints: ``(column, minimum)`` of the output constraints
    :param join_required: whether the table must be joined with a table of the query's runner
    """

    shown: frozenset[str] = frozenset()
    joins: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset({"AND"})
    aggregates: Mapping[str, frozenset[str]] | None = None
    scalars: frozenset[str] = frozenset()
    constraints: tuple[tuple[str, int], ...] = ()
    join_required: bool = False


@dataclass(frozen=True)
class Threshold:
    """``aggregationThresholds``: each result row stands for at least ``minimum`` identities.

    :param columns_only: aggregates take bare columns and constants only
    :param overrides: per output column another minimum; 0 exempts it
    """

    identity: str
    minimum: int
    columns_only: bool
    overrides: Mapping[str, int]


@dataclass(frozen=True)
class CustomRule:
    """A custom rule; None for the two comparison lists means unrestricted."""

    analyses: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    disallowed: frozenset[str] = frozenset()
    additional: str = "NOT_ALLOWED"
    user: str | None = None
    threshold: Threshold | None = None
    literal_columns: frozenset[str] | None = None
    compared_columns: frozenset[str] | None = None

    @property
    def controlled(self) -> bool:
        """Whether the restricted SQL surface applies."""
        lists = (self.literal_columns, self.compared_columns)
        return self.threshold is not None or any(columns is not None for columns in lists)


def body(policy: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    """The rule inside ``{"v1": {key: ...}}``."""
    versions = (policy or {}).get("v1")
    inner = versions.get(key) if isinstance(versions, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def names(values: Iterable[Any] | None) -> frozenset[str]:
    """Column names as they are compared."""
    return frozenset(str(value).lower() for value in values or ())


def flat_rule(table: Table) -> FlatRule:
    """The rule of a table in an aggregation or list query."""
    if table.rule_type == ID_MAPPING_TABLE:
        mapping = body(table.policy, "idMappingTable")
        return FlatRule(
            shown=names(mapping.get("dimensionColumns")),
            joins=names(mapping.get("joinColumns")),
            operators=frozenset({"AND", "OR"}),
        )
    listing = body(table.policy, "list")
    if listing:
        return FlatRule(
            shown=names(listing.get("listColumns")),
            joins=names(listing.get("joinColumns")),
            operators=_operators(listing),
        )
    rule = body(table.policy, "aggregation")
    permitted: dict[str, set[str]] = {}
    for entry in rule.get("aggregateColumns") or ():
        for column in entry.get("columnNames") or ():
            permitted.setdefault(str(column).lower(), set()).add(str(entry.get("function")).upper())
    return FlatRule(
        shown=names(rule.get("dimensionColumns")),
        joins=names(rule.get("joinColumns")),
        operators=_operators(rule),
        aggregates={column: frozenset(functions) for column, functions in permitted.items()},
        scalars=frozenset(str(name).upper() for name in rule.get("scalarFunctions") or ()),
        constraints=tuple(
            (str(entry["columnName"]).lower(), int(entry["minimum"]))
            for entry in rule.get("outputConstraints") or ()
        ),
        join_required=bool(rule.get("joinRequired")),
    )


def custom_rule(table: Table) -> CustomRule:
    """The rule of a table in a custom query; a mapping table permits every analysis."""
    rule = body(table.policy, "custom")
    comparisons = rule.get("comparisonControls")
    privacy = (rule.get("differentialPrivacy") or {}).get("columns") or ()
    return CustomRule(
        analyses=frozenset(str(entry) for entry in rule.get("allowedAnalyses") or ()),
        providers=frozenset(str(entry) for entry in rule.get("allowedAnalysisProviders") or ()),
        disallowed=names(rule.get("disallowedOutputColumns")),
        additional=str(rule.get("additionalAnalyses") or "NOT_ALLOWED"),
        user=str(privacy[0]["name"]).lower() if privacy else None,
        threshold=_threshold(rule.get("aggregationThresholds")),
        literal_columns=_compared(comparisons, "allowedLiteralComparisonColumns"),
        compared_columns=_compared(comparisons, "allowedColumnComparisonColumns"),
    )


def additional_analyses(table: Table) -> str:
    """``additionalAnalyses`` of the table's rule, whatever its type."""
    for key in ("aggregation", "list", "custom"):
        value = body(table.policy, key).get("additionalAnalyses")
        if value:
            return str(value)
    return "NOT_ALLOWED"


def _operators(rule: Mapping[str, Any]) -> frozenset[str]:
    given = rule.get("allowedJoinOperators")
    return frozenset({"AND"}) if given is None else frozenset(str(entry).upper() for entry in given)


def _compared(controls: Mapping[str, Any] | None, key: str) -> frozenset[str] | None:
    """None: unrestricted. A list that is left out restricts nothing (user guide); an empty one blocks all (API)."""
    return None if controls is None or controls.get(key) is None else names(controls[key])


def _threshold(entries: Any) -> Threshold | None:
    if not entries:
        return None
    entry = entries[0]
    return Threshold(
        identity=str(entry["identityColumns"][0]).lower(),
        minimum=int(entry["minimumIdentityCount"]),
        columns_only=entry.get("allowedAggregateExpressionType", "COLUMNS_ONLY") != "ANY_EXPRESSION",
        overrides={
            str(item["outputColumnName"]).lower(): int(item["minimumIdentityCount"])
            for item in entry.get("outputColumnThresholds") or ()
        },
    )
