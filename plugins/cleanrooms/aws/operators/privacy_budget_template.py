"""Create, update and delete the privacy budget template of a type; a membership has one of each."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "privacy_budget_template",
    "privacyBudgetTemplate",
    identity=("membershipIdentifier", "privacyBudgetType"),
    identifier="privacyBudgetTemplateIdentifier",
    parents=("membershipIdentifier",),
    mutable=frozenset({"parameters"}),
    listing=("list_privacy_budget_templates", "privacyBudgetTemplateSummaries"),
    always=("privacyBudgetType",),
)


class CleanRoomsCreatePrivacyBudgetTemplateOperator(CreateOperator):
    """Create the privacy budget template of a type (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdatePrivacyBudgetTemplateOperator(UpdateOperator):
    """Update the privacy budget template of a type (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeletePrivacyBudgetTemplateOperator(DeleteOperator):
    """Delete the privacy budget template of a type (arguments: :class:`DeleteOperator`)."""

    kind = KIND
