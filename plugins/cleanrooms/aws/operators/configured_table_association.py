"""Create, update and delete an association of a configured table with a membership."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "configured_table_association",
    "configuredTableAssociation",
    identity=("membershipIdentifier", "name"),
    identifier="configuredTableAssociationIdentifier",
    parents=("membershipIdentifier",),
    mutable=frozenset({"description", "roleArn"}),
    listing=("list_configured_table_associations", "configuredTableAssociationSummaries"),
    shown_as={"configuredTableIdentifier": "configuredTableId"},
)


class CleanRoomsCreateConfiguredTableAssociationOperator(CreateOperator):
    """Create an association of a configured table with a membership (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateConfiguredTableAssociationOperator(UpdateOperator):
    """Update an association of a configured table with a membership (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteConfiguredTableAssociationOperator(DeleteOperator):
    """Delete an association of a configured table with a membership (arguments: :class:`DeleteOperator`)."""

    kind = KIND
