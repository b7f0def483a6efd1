"""The tables that the rule tests query: a runner's and a partner's, with one rule of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cleanrooms.rules import Table, Verdict, check

OURS, PARTNER, THIRD = "111122223333", "444455556666", "777788889999"
CASES = Path(__file__).parents[1] / "cases" / "rules.yaml"
RECEIVES = {"allowedResultReceivers": [OURS]}


def table(
    name: str, columns: Mapping[str, str], kind: str, rule: Mapping[str, Any], owner: str = OURS
) -> Table:
    """A table that is ready for queries of the runner."""
    key = {"ID_MAPPING_TABLE": "idMappingTable"}.get(kind, kind.lower())
    return Table(name, owner, columns, kind, {"v1": {key: rule}}, RECEIVES)


def aggregation(**changes: Any) -> dict[str, Any]:
    """An aggregation rule for the columns of :data:`ROLES`."""
    return {
        "aggregateColumns": [
            {"columnNames": ["amount"], "function": "SUM"},
            {"columnNames": ["key"], "function": "COUNT_DISTINCT"},
        ],
        "joinColumns": ["key", "other_key"],
        "allowedJoinOperators": ["AND", "OR"],
        "dimensionColumns": ["segment", "region", "dt"],
        "scalarFunctions": ["UPPER", "TRUNC", "CAST", "COALESCE"],
        "outputConstraints": [{"columnName": "key", "minimum": 3, "type": "COUNT_DISTINCT"}],
        **changes,
    }


ROLES = {
    "key": "string",
    "other_key": "string",
    "amount": "bigint",
    "segment": "string",
    "region": "string",
    "dt": "string",
    "note": "string",
}
"""join (and counted), join, aggregate, three dimensions, no role."""


def custom(**changes: Any) -> dict[str, Any]:
    """A custom rule that allows the runner's queries."""
    return {"allowedAnalyses": ["ANY_QUERY"], "allowedAnalysisProviders": [OURS], **changes}


def threshold(identity: str = "person", minimum: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """``aggregationThresholds`` of one identity column."""
    return [
        {
            "identityColumns": [identity],
            "minimumIdentityCount": minimum,
            "type": "COUNT_DISTINCT",
            "allowedAggregateExpressionType": "COLUMNS_ONLY",
            **changes,
        }
    ]


PEOPLE = {"person": "string", "city": "string", "secret": "string", "cost": "bigint", "day": "date"}

TABLES: dict[str, Table] = {
    item.name: item
    for item in (
        table("ours", ROLES, "AGGREGATION", aggregation()),
        table("theirs", ROLES, "AGGREGATION", aggregation(joinRequired="QUERY_RUNNER"), PARTNER),
        table("others", ROLES, "AGGREGATION", aggregation(joinRequired="QUERY_RUNNER"), THIRD),
        table("our_list", ROLES, "LIST", {"joinColumns": ["key"], "listColumns": ["segment", "region"]}),
        table(
            "their_list",
            ROLES,
            "LIST",
            {"joinColumns": ["key"], "listColumns": ["segment", "region"]},
            PARTNER,
        ),
        table("open_people", PEOPLE, "CUSTOM", custom()),
        table("people", PEOPLE, "CUSTOM", custom(disallowedOutputColumns=["secret"]), PARTNER),
        table("counted", PEOPLE, "CUSTOM", custom(aggregationThresholds=threshold()), PARTNER),
        table(
            "compared",
            PEOPLE,
            "CUSTOM",
            custom(
                aggregationThresholds=threshold(),
                comparisonControls={
                    "allowedLiteralComparisonColumns": ["city"],
                    "allowedColumnComparisonColumns": ["person", "city"],
                },
            ),
            PARTNER,
        ),
        table(
            "private",
            PEOPLE,
            "CUSTOM",
            custom(differentialPrivacy={"columns": [{"name": "person"}]}),
            PARTNER,
        ),
    )
}


def judge(sql: str, **facts: Any) -> Verdict:
    """The verdict on a query of our account over :data:`TABLES`."""
    return check(sql, TABLES, runner=OURS, receivers=[OURS], **facts)


def codes(sql: str, **facts: Any) -> set[str]:
    """The codes of the violations."""
    return {violation.code for violation in judge(sql, **facts).violations}


def accepted(sql: str, **facts: Any) -> str:
    """The constrained text of a query that must be accepted, without quotes."""
    return judge(sql, **facts).require().replace("`", "")
