"""Create, update and delete a collaboration."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "collaboration",
    "collaboration",
    identity=("name",),
    identifier="collaborationIdentifier",
    mutable=frozenset({"description", "analyticsEngine"}),
    listing=("list_collaborations", "collaborationList"),
    owner="creatorAccountId",
)


class CleanRoomsCreateCollaborationOperator(CreateOperator):
    """Create a collaboration (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateCollaborationOperator(UpdateOperator):
    """Update a collaboration (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteCollaborationOperator(DeleteOperator):
    """Delete a collaboration (arguments: :class:`DeleteOperator`)."""

    kind = KIND
