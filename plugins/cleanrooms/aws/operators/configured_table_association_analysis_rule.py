"""Create, update and delete a collaboration analysis rule of an association."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "configured_table_association_analysis_rule",
    "analysisRule",
    identity=("membershipIdentifier", "configuredTableAssociationIdentifier", "analysisRuleType"),
    mutable=frozenset({"analysisRulePolicy"}),
    shown_as={"analysisRulePolicy": "policy"},
)


class CleanRoomsCreateConfiguredTableAssociationAnalysisRuleOperator(CreateOperator):
    """Create a collaboration analysis rule of an association (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateConfiguredTableAssociationAnalysisRuleOperator(UpdateOperator):
    """Update a collaboration analysis rule of an association (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteConfiguredTableAssociationAnalysisRuleOperator(DeleteOperator):
    """Delete a collaboration analysis rule of an association (arguments: :class:`DeleteOperator`)."""

    kind = KIND
