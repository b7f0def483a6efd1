"""Whether a table can be queried in a collaboration, and what is missing: ``schemaStatusDetails``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms.intermediate_table import IntermediateTable
from sandbox.cleanrooms.mapped_tables import MappedTable
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable

_MESSAGES = {
    "ID_MAPPING_TABLE_NOT_POPULATED": "The ID mapping table has not been populated.",
    "INTERMEDIATE_TABLE_NOT_POPULATED": "The intermediate table has not been populated.",
    "INTERMEDIATE_TABLE_ANALYSIS_RULE_MISSING": "The intermediate table has no analysis rule.",
    "INTERMEDIATE_TABLE_BASE_TABLE_REMOVED": "A base table was removed from the collaboration.",
    "INTERMEDIATE_TABLE_DISALLOWED_BY_DATA_PROVIDER": "A data provider has disallowed the table.",
    "INTERMEDIATE_TABLE_RETENTION_PERIOD_EXPIRED": "The retention period of the table's data is over.",
    "INTERMEDIATE_TABLE_INHERITED_CONSTRAINTS_VIOLATED": (
        "The analysis rule permits more than the base tables did when the table was populated."
    ),
    "ANALYSIS_RULE_MISSING": "The configured table has no analysis rule.",
    "ANALYSIS_TEMPLATES_NOT_CONFIGURED": "The custom analysis rule allows no analyses.",
    "ANALYSIS_PROVIDERS_NOT_CONFIGURED": "The custom analysis rule allows any query of no provider.",
    "DIFFERENTIAL_PRIVACY_POLICY_NOT_CONFIGURED": "The collaboration has no privacy budget template.",
    "COLLABORATION_ANALYSIS_RULE_NOT_CONFIGURED": "The association has no collaboration analysis rule.",
    "ANALYSIS_RULE_TYPES_NOT_COMPATIBLE": "The collaboration analysis rule is of another type.",
    "RESULT_RECEIVERS_NOT_CONFIGURED": "The collaboration analysis rule names no result receivers.",
    "RESULT_RECEIVERS_NOT_ALLOWED": "Results of direct queries are not allowed: additionalAnalyses is REQUIRED.",
    "ADDITIONAL_ANALYSES_NOT_ALLOWED": "The analysis rule does not allow additional analyses.",
    "ADDITIONAL_ANALYSES_NOT_CONFIGURED": "The collaboration analysis rule allows no additional analyses.",
}


def status_details(table: AssociatedTable, *, private_budget: bool) -> list[Document]:
    """Returns the status for direct and for additional analyses, with every reason against it.

    :param private_budget: whether the collaboration has a differential privacy budget
    """
    if isinstance(table, MappedTable):
        codes = [] if table.is_populated else ["ID_MAPPING_TABLE_NOT_POPULATED"]
        return [_status(table, "DIRECT_ANALYSIS", codes)]
    if isinstance(table, IntermediateTable) and table.not_ready:
        codes = [table.not_ready]
        return [_status(table, kind, codes) for kind in ("DIRECT_ANALYSIS", "ADDITIONAL_ANALYSIS")]
    both = _against_both(table, private_budget)
    return [
        _status(table, "DIRECT_ANALYSIS", both + _against_direct(table)),
        _status(table, "ADDITIONAL_ANALYSIS", both + _against_additional(table)),
    ]


def _status(table: AssociatedTable, analysis: str, codes: list[str]) -> Document:
    reasons = [{"code": code, "message": _MESSAGES[code]} for code in codes]
    return {
        "status": "NOT_READY" if codes else "READY",
        "analysisType": analysis,
        "analysisRuleType": table.rule["type"] if table.rule else None,
        "configurations": ["DIFFERENTIAL_PRIVACY"] if "differentialPrivacy" in _policy(table) else None,
        "reasons": reasons or None,
    }


def _policy(table: AssociatedTable) -> Mapping[str, Any]:
    if table.rule is None:
        return {}
    ((_, policy),) = table.rule["policy"]["v1"].items()
    return dict(policy)


def _against_both(table: AssociatedTable, private_budget: bool) -> list[str]:
    if table.rule is None:
        return ["ANALYSIS_RULE_MISSING"]
    policy, codes = _policy(table), []
    if table.rule["type"] == "CUSTOM":
        allowed = policy.get("allowedAnalyses", [])
        if not allowed:
            codes.append("ANALYSIS_TEMPLATES_NOT_CONFIGURED")
        elif "ANY_QUERY" in allowed and not policy.get("allowedAnalysisProviders"):
            codes.append("ANALYSIS_PROVIDERS_NOT_CONFIGURED")
        if "differentialPrivacy" in policy and not private_budget:
            codes.append("DIFFERENTIAL_PRIVACY_POLICY_NOT_CONFIGURED")
    if table.association_rule is None:
        codes.append("COLLABORATION_ANALYSIS_RULE_NOT_CONFIGURED")
    elif table.association_rule["type"] != table.rule["type"]:
        codes.append("ANALYSIS_RULE_TYPES_NOT_COMPATIBLE")
    return codes


def _against_direct(table: AssociatedTable) -> list[str]:
    receivers = (table.association_policy or {}).get("allowedResultReceivers")
    if _policy(table).get("additionalAnalyses") == "REQUIRED":
        return ["RESULT_RECEIVERS_NOT_ALLOWED"]
    return ["RESULT_RECEIVERS_NOT_CONFIGURED"] if table.association_rule and not receivers else []


def _against_additional(table: AssociatedTable) -> list[str]:
    if _policy(table).get("additionalAnalyses", "NOT_ALLOWED") == "NOT_ALLOWED":
        return ["ADDITIONAL_ANALYSES_NOT_ALLOWED"]
    allowed = (table.association_policy or {}).get("allowedAdditionalAnalyses")
    return ["ADDITIONAL_ANALYSES_NOT_CONFIGURED"] if table.association_rule and not allowed else []
