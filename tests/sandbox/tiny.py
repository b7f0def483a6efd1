"""A Clean Rooms of a few operations, to test the wire without the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.wire import Caller, ServiceFault

MEMBERSHIP = "11111111-1111-4111-8111-111111111111"
CREATOR = "444455556666"


class Tiny:
    """Tells who calls, through what an exception or a result can carry."""

    def __init__(self, data: Path | None) -> None:
        self.data = data

    def owner_of_collaboration(self, identifier: str) -> str | None:
        return CREATOR

    def close(self) -> None:
        pass

    def list_memberships(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        return {"membershipSummaries": []}

    def list_tags_for_resource(self, caller: Caller, resourceArn: str) -> dict[str, Any]:  # noqa: N803
        return {"tags": {"resource": resourceArn, "caller": caller.principal_arn, "region": caller.region}}

    def get_collaboration(self, caller: Caller, collaborationIdentifier: str) -> dict[str, Any]:  # noqa: N803
        raise _not_found("COLLABORATION", collaborationIdentifier)

    def get_membership(self, caller: Caller, membershipIdentifier: str) -> dict[str, Any]:  # noqa: N803
        raise _not_found("MEMBERSHIP", membershipIdentifier)

    def start_protected_query(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        raise ServiceFault("ConflictException", "not in this tiny service", reason="INVALID_STATE")

    def list_collaborations(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        return {"collaborationList": [], "surprise": 1}

    def list_configured_tables(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        raise KeyError("a defect")


def _not_found(kind: str, identifier: str) -> ServiceFault:
    return ServiceFault("ResourceNotFoundException", "not here", resourceId=identifier, resourceType=kind)
