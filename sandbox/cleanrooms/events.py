"""EventBridge events of the service, from what changes in its state.

Which events there are and who is told follows the User Guide ("Integrating AWS Clean Rooms into event-driven
applications"); what is in ``detail`` is not documented: ids, ARNs and the status, and nothing of a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox import bus
from sandbox.cleanrooms import names
from sandbox.cleanrooms.room import public
from sandbox.cleanrooms.state import Change, Document, Store

SOURCE = "aws.cleanrooms"
# Told to the owner and all active members when they are made, changed and deleted.
_SHARED = {
    "analysis_template": "Analysis Template",
    "configured_table_association": "Configured Table Association",
    "association_rule": "Configured Table Association Analysis Rule",
    "id_mapping_table": "Id Mapping Table",
    "id_namespace_association": "Id Namespace Association",
    "membership": "Membership",
}
_QUERY = {
    "SUBMITTED": "Submitted",
    "STARTED": "Started",
    "CANCELLING": "Cancelling",
    "CANCELLED": "Cancelled",
    "SUCCESS": "Succeeded",
    "FAILED": "Failed",
    "TIMED_OUT": "Timed Out",
}
_CHANGE_REQUEST = {"APPROVED": "Approved", "CANCELLED": "Cancelled", "COMMITTED": "Committed"}
_SHOWN = (
    "id",
    "arn",
    "status",
    "collaborationId",
    "collaborationArn",
    "membershipId",
    "membershipArn",
    "configuredTableAssociationId",
    "configuredTableAssociationArn",
)


@dataclass(frozen=True)
class _Told:
    kind: str
    about: Document
    accounts: Iterable[str]


class Events:
    """Turns the changes of a store into events."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.observe((*_SHARED, "collaboration", "change_request", "protected_query"), self._changed)

    def _changed(self, change: Change) -> None:
        for told in self._events(change):
            shown = {name: told.about[name] for name in _SHOWN if told.about.get(name) is not None}
            arn = (
                told.about.get("arn") or told.about.get("membershipArn") or told.about.get("collaborationArn")
            )
            event = bus.Event(SOURCE, told.kind, shown, [arn] if arn else [])
            region = names.region_of(arn) if arn else ""
            for account in dict.fromkeys(told.accounts):
                bus.publish(account, region, event)

    def _events(self, change: Change) -> Iterator[_Told]:
        if change.kind == "protected_query":
            yield from _of_query(change)
        elif change.kind == "collaboration":
            yield from self._of_collaboration(change)
        elif change.kind == "change_request":
            yield from self._of_change_request(change)
        elif change.before is None or change.after is None or public(change.before) != public(change.after):
            yield self._of_shared(change)

    def _of_shared(self, change: Change) -> _Told:
        about = change.after or change.before or {}
        word = "Created" if change.before is None else "Deleted" if change.after is None else "Updated"
        collaboration = about.get("collaborationId") or self._collaboration_of(about)
        accounts = [change.owner, *self._active(collaboration)]
        if change.kind == "membership" and word == "Updated" and about["status"] != "REMOVED":
            accounts = [change.owner]
        return _Told(f"{_SHARED[change.kind]} {word}", about, accounts)

    def _collaboration_of(self, about: Document) -> str:
        identifier = about.get("membershipId") or about.get("membershipIdentifier") or ""
        return str((self._store.get("membership", identifier) or {}).get("collaborationId", ""))

    def _active(self, collaboration: str) -> list[str]:
        found = self._store.find("membership", parent=collaboration)
        return [one["_owner"] for one in found if one["status"] == "ACTIVE"]

    def _of_collaboration(self, change: Change) -> Iterator[_Told]:
        before, after = change.before, change.after
        if after is None:
            yield from self._of_deletion(change)
            return
        if before is None:
            yield _Told("Collaboration Created", after, [change.owner])
        elif public(before) != public(after):
            yield _Told("Collaboration Updated", after, [change.owner, *self._active(after["id"])])
        known = {member["accountId"] for member in (before or {"_members": []})["_members"]} | {change.owner}
        invited = [one["accountId"] for one in after["_members"] if one["accountId"] not in known]
        yield _Told("Invited To Collaboration", after, invited)

    def _of_deletion(self, change: Change) -> Iterator[_Told]:
        """Memberships tell for themselves; ID namespace associations do not change, but are said to."""
        assert change.before is not None
        for membership in self._store.find("membership", parent=change.before["id"]):
            for one in self._store.find("id_namespace_association", parent=membership["id"]):
                about = one | {"status": "COLLABORATION_DELETED"}
                yield _Told("Id Namespace Association Updated", about, [one["_owner"]])

    def _of_change_request(self, change: Change) -> Iterator[_Told]:
        after = change.after
        collaboration = self._store.get("collaboration", after["collaborationId"]) if after else None
        if after is None or collaboration is None:
            return
        about = after | {"collaborationArn": collaboration["arn"]}
        accounts = [collaboration["creatorAccountId"], *self._active(collaboration["id"])]
        if change.before is None:
            yield _Told("Collaboration Change Request Created", about, accounts)
        is_new = change.before is None or change.before["status"] != after["status"]
        if is_new and (word := _CHANGE_REQUEST.get(after["status"])):
            yield _Told(f"Collaboration Change Request {word}", about, accounts)


def _of_query(change: Change) -> Iterator[_Told]:
    before, after = change.before, change.after
    if after is not None and (before is None or before["status"] != after["status"]):
        accounts = [after["_runner"], after["queryComputePayerAccountId"], *after["_receivers"]]
        about = after | {"collaborationId": after["_plan"]["collaboration"]}
        yield _Told(f"Protected Query {_QUERY[after['status']]}", about, accounts)
