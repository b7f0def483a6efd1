"""Change requests: how a collaboration changes after its creation, when its members agree.

``PENDING -> APPROVED | DENIED | CANCELLED`` and ``APPROVED -> COMMITTED | CANCELLED``. The creator asks,
cancels and commits; the other active members approve or deny, unless the collaboration approves changes
of these types by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import changes, names, refusals
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

KIND = "change_request"


class ChangeRequests(Room):
    """Operations on change requests."""

    def create_collaboration_change_request(self, caller: Caller, **request: Any) -> Document:
        """Asks the members for one to ten changes.

        :raises ServiceFault: ValidationException for abilities that cannot be granted, or for no change
        """
        with self.store.transaction():
            collaboration = self.collaboration_of_creator(caller, request["collaborationIdentifier"])
            asked = [changes.typed(collaboration, one) for one in request["changes"]]
            changes.check_together(collaboration, asked)
            body = _new(collaboration, asked)
            self.store.add(KIND, body, owner=caller.account, parent=collaboration["id"])
        return {"collaborationChangeRequest": public(body)}

    def get_collaboration_change_request(self, caller: Caller, **request: Any) -> Document:
        """Shows a change request to everybody who sees the collaboration."""
        collaboration = self.collaboration_seen_by(caller, request["collaborationIdentifier"])
        return {"collaborationChangeRequest": public(self._change_request(collaboration, request))}

    def list_collaboration_change_requests(self, caller: Caller, **request: Any) -> Document:
        """Lists the change requests of a collaboration."""
        collaboration = self.collaboration_seen_by(caller, request["collaborationIdentifier"])
        status = request.get("status")
        every = self.store.find(KIND, parent=collaboration["id"])
        chosen = [one for one in every if status in (None, one["status"])]
        shown, more = page(chosen, request, f"change requests {collaboration['id']} {status}")
        return {"collaborationChangeRequestSummaries": [public(one) for one in shown], **more}

    def update_collaboration_change_request(self, caller: Caller, **request: Any) -> Document:
        """Approves, denies, cancels or commits.

        :raises ServiceFault: ConflictException in a status that does not allow it
        """
        action = request["action"]
        with self.store.transaction():
            if action in ("CANCEL", "COMMIT"):
                collaboration = self.collaboration_of_creator(caller, request["collaborationIdentifier"])
            else:
                collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
            found = self._change_request(collaboration, request)
            if action == "COMMIT":
                self._commit(collaboration, found)
            elif action == "CANCEL":
                _leave(found, ("PENDING", "APPROVED"), "CANCELLED")
            else:
                _vote(found, caller.account, action)
            self.store.save(KIND, found)
        return {"collaborationChangeRequest": public(found)}

    def _change_request(self, collaboration: Document, request: Mapping[str, Any]) -> Document:
        identifier = request["changeRequestIdentifier"]
        found = self.store.get(KIND, identifier)
        if found is None or found["collaborationId"] != collaboration["id"]:
            raise refusals.missing("change request", identifier)
        return found

    def _commit(self, collaboration: Document, found: Document) -> None:
        _leave(found, ("APPROVED",), "COMMITTED")
        # What was approved must still be what happens: another request may have been committed since.
        now_asked = [changes.typed(collaboration, _input(one)) for one in found["changes"]]
        changes.check_together(collaboration, now_asked)
        if [one["types"] for one in now_asked] != [one["types"] for one in found["changes"]]:
            message = "The collaboration has changed since; make a new change request."
            raise refusals.conflict("CHANGE_REQUEST", found["id"], "INVALID_STATE", message)
        for change in found["changes"]:
            member = changes.apply(collaboration, change, found["updateTime"])
            if member and (membership := self.store.get("membership", member.get("membershipId", ""))):
                membership |= {
                    "memberAbilities": member["abilities"],
                    "mlMemberAbilities": member.get("mlAbilities"),
                    "paymentConfiguration": member["paymentConfiguration"],
                    "updateTime": found["updateTime"],
                }
                self.store.save("membership", membership)
        collaboration["updateTime"] = found["updateTime"]
        self.store.save("collaboration", collaboration)


def _new(collaboration: Document, asked: list[Document]) -> Document:
    created = names.now()
    voters = [
        one["accountId"]
        for one in collaboration["_members"]
        if one["status"] == "ACTIVE" and one["accountId"] != collaboration["creatorAccountId"]
    ]
    automatic = {kind for one in asked for kind in one["types"]} <= set(
        collaboration.get("autoApprovedChangeTypes") or ()
    )
    return {
        "id": names.new_id(),
        "collaborationId": collaboration["id"],
        "createTime": created,
        "updateTime": created,
        "status": "APPROVED" if automatic or not voters else "PENDING",
        "isAutoApproved": automatic,
        "changes": asked,
        "approvals": None
        if automatic or not voters
        else {account: {"status": "PENDING"} for account in voters},
    }


def _input(change: Document) -> Document:
    return {name: value for name, value in change.items() if name != "types"}


def _leave(found: Document, statuses: tuple[str, ...], status: str) -> None:
    if found["status"] not in statuses:
        message = f"Change request {found['id']} is {found['status']}."
        raise refusals.conflict("CHANGE_REQUEST", found["id"], "INVALID_STATE", message)
    found |= {"status": status, "updateTime": names.now()}


def _vote(found: Document, account: str, action: str) -> None:
    _leave(found, ("PENDING",), "PENDING")
    if account not in (found["approvals"] or {}):
        raise refusals.denied(f"{account} is not asked to approve change request {found['id']}.")
    found["approvals"][account] = {"status": "APPROVED" if action == "APPROVE" else "DENIED"}
    votes = {one["status"] for one in found["approvals"].values()}
    if "DENIED" in votes:
        found["status"] = "DENIED"
    elif votes == {"APPROVED"}:
        found["status"] = "APPROVED"
