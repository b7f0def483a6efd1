"""Create, update and delete our membership in a collaboration."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "membership",
    "membership",
    identity=("collaborationIdentifier",),
    identifier="membershipIdentifier",
    mutable=frozenset(
        {
            "queryLogStatus",
            "jobLogStatus",
            "defaultResultConfiguration",
            "defaultJobResultConfiguration",
            "paymentConfiguration",
        }
    ),
    listing=("list_memberships", "membershipSummaries"),
    shown_as={"collaborationIdentifier": "collaborationId"},
    updated_as={"paymentConfiguration": "membershipPaymentConfiguration"},
    list_arguments={"status": "ACTIVE"},
)


class CleanRoomsCreateMembershipOperator(CreateOperator):
    """Create our membership in a collaboration (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateMembershipOperator(UpdateOperator):
    """Update our membership in a collaboration (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteMembershipOperator(DeleteOperator):
    """Delete our membership in a collaboration (arguments: :class:`DeleteOperator`)."""

    kind = KIND
