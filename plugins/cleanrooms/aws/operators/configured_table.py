"""Create, update and delete a configured table."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "configured_table",
    "configuredTable",
    identity=("name",),
    identifier="configuredTableIdentifier",
    mutable=frozenset(
        {"description", "tableReference", "allowedColumns", "analysisMethod", "selectedAnalysisMethods"}
    ),
    listing=("list_configured_tables", "configuredTableSummaries"),
)


class CleanRoomsCreateConfiguredTableOperator(CreateOperator):
    """Create a configured table (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateConfiguredTableOperator(UpdateOperator):
    """Update a configured table (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteConfiguredTableOperator(DeleteOperator):
    """Delete a configured table (arguments: :class:`DeleteOperator`)."""

    kind = KIND
