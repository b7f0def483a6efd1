"""Create, update and delete an analysis rule of a configured table."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "configured_table_analysis_rule",
    "analysisRule",
    identity=("configuredTableIdentifier", "analysisRuleType"),
    mutable=frozenset({"analysisRulePolicy"}),
    shown_as={"analysisRulePolicy": "policy"},
)


class CleanRoomsCreateConfiguredTableAnalysisRuleOperator(CreateOperator):
    """Create an analysis rule of a configured table (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateConfiguredTableAnalysisRuleOperator(UpdateOperator):
    """Update an analysis rule of a configured table (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteConfiguredTableAnalysisRuleOperator(DeleteOperator):
    """Delete an analysis rule of a configured table (arguments: :class:`DeleteOperator`)."""

    kind = KIND
