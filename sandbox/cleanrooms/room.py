"""What the families of operations share: the state, the settings and the lookups with their visibility."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.state import Document, Store
from sandbox.wire import Caller

CAN_QUERY, CAN_RECEIVE_RESULTS = "CAN_QUERY", "CAN_RECEIVE_RESULTS"


class Room:
    """Base of every family of operations.

    Documents hold what the API shows under the API's names; what it does not show begins with ``_``.
    """

    def __init__(self, store: Store, settings: Settings, managed: ManagedStorage) -> None:
        self.store = store
        self.settings = settings
        self.managed = managed

    def collaboration_seen_by(self, caller: Caller, identifier: str) -> Document:
        """Returns a collaboration that the caller created or is invited to.

        :raises ServiceFault: AccessDeniedException also when there is none (the service answers so)
        """
        found = self.store.get("collaboration", identifier)
        if found is None or member_of(found, caller.account) is None:
            raise refusals.denied(f"{caller.account} has no access to collaboration {identifier}.")
        return found

    def collaboration_of_creator(self, caller: Caller, identifier: str) -> Document:
        """Returns a collaboration for a change that only its creator may make."""
        found = self.collaboration_seen_by(caller, identifier)
        if found["creatorAccountId"] != caller.account:
            raise refusals.denied("Only the creator of a collaboration may change it.")
        return found

    def collaboration_of_member(self, caller: Caller, identifier: str) -> Document:
        """Returns a collaboration that the caller is an active member of."""
        found = self.collaboration_seen_by(caller, identifier)
        member = member_of(found, caller.account)
        if member is None or member["status"] != "ACTIVE":
            raise refusals.denied(f"{caller.account} is not an active member of collaboration {identifier}.")
        return found

    def membership_of(self, caller: Caller, identifier: str) -> Document:
        """Returns a membership of the caller.

        :raises ServiceFault: AccessDeniedException also when there is none (the service answers so)
        """
        found = self.store.get("membership", identifier)
        if found is None or found["_owner"] != caller.account:
            raise refusals.denied(f"{caller.account} has no access to membership {identifier}.")
        return found

    def active_membership_of(self, caller: Caller, identifier: str) -> Document:
        """Returns a membership of the caller that still takes part in its collaboration."""
        found = self.membership_of(caller, identifier)
        if found["status"] != "ACTIVE":
            raise refusals.denied(f"Membership {identifier} is not active: its status is {found['status']}.")
        return found

    def collaboration_by_id(self, identifier: str) -> Document:
        """Returns a collaboration that is known to exist, whoever asks."""
        found = self.store.get("collaboration", identifier)
        if found is None:
            raise refusals.denied(f"Collaboration {identifier} was deleted.")
        return found

    def owned(self, caller: Caller, kind: str, identifier: str) -> Document:
        """Returns a resource of the caller's account.

        :raises ServiceFault: ResourceNotFoundException
        """
        found = self.store.get(kind.lower(), identifier)
        if found is None or found["_owner"] != caller.account:
            raise refusals.missing(kind, identifier)
        return found

    def keep_tags(self, arn: str, owner: str, tags: Mapping[str, str] | None) -> None:
        """Stores the tags of a new resource; a resource without an entry here is not taggable."""
        self.store.add("tags", {"id": arn, "tags": dict(tags or {})}, owner=owner)


def member_of(collaboration: Document, account: str) -> Document | None:
    """Returns the entry of an account in a collaboration, whatever its status."""
    entries: list[Document] = collaboration["_members"]
    return next((member for member in entries if member["accountId"] == account), None)


def public(document: Mapping[str, Any]) -> Document:
    """Returns what the API shows of a document."""
    return {key: value for key, value in document.items() if not key.startswith("_") and value is not None}


def summary(document: Mapping[str, Any], fields: Iterable[str]) -> Document:
    """Returns the members of ``document`` that its summary shape has."""
    return {name: document[name] for name in fields if document.get(name) is not None}
