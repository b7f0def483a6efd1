"""Create, update and delete a privacy budget template.

A membership has one for differential privacy, and one access budget for each table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator


def _means(config: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """An access budget is told from the others by its table."""
    return _table(config.get("parameters", {})) == _table(shown["parameters"])


def _table(parameters: Mapping[str, Any]) -> str | None:
    arn: str | None = parameters.get("accessBudget", {}).get("resourceArn")
    return arn


def _updated(value: Any) -> Any:
    """Update does not take the table: a budget stays with it."""
    if not isinstance(value, Mapping) or "accessBudget" not in value:
        return value
    kept = {name: one for name, one in value["accessBudget"].items() if name != "resourceArn"}
    return {"accessBudget": kept}


KIND = Kind(
    "privacy_budget_template",
    "privacyBudgetTemplate",
    identity=("membershipIdentifier", "privacyBudgetType"),
    identifier="privacyBudgetTemplateIdentifier",
    parents=("membershipIdentifier",),
    mutable=frozenset({"parameters"}),
    listing=("list_privacy_budget_templates", "privacyBudgetTemplateSummaries"),
    always=("privacyBudgetType",),
    means=_means,
    updated_value=_updated,
)


class CleanRoomsCreatePrivacyBudgetTemplateOperator(CreateOperator):
    """Create a privacy budget template (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdatePrivacyBudgetTemplateOperator(UpdateOperator):
    """Update a privacy budget template (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeletePrivacyBudgetTemplateOperator(DeleteOperator):
    """Delete a privacy budget template (arguments: :class:`DeleteOperator`)."""

    kind = KIND
