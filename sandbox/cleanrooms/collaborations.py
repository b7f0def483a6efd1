"""Collaborations and their members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.intermediate_states import settle
from sandbox.cleanrooms.paging import page, stored_page
from sandbox.cleanrooms.room import CAN_QUERY, Room, member_of, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

_SUMMARY = (
    "id",
    "arn",
    "name",
    "creatorAccountId",
    "creatorDisplayName",
    "createTime",
    "updateTime",
    "memberStatus",
    "membershipId",
    "membershipArn",
    "analyticsEngine",
)
_CHOSEN_AT_CREATION = (
    "name",
    "description",
    "creatorDisplayName",
    "dataEncryptionMetadata",
    "queryLogStatus",
    "jobLogStatus",
    "allowedResultRegions",
    "isMetricsEnabled",
)


class Collaborations(Room):
    """Operations on collaborations."""

    def create_collaboration(self, caller: Caller, **request: Any) -> Document:
        """Creates a collaboration and invites its members; the caller is invited like the others."""
        _check_engine(request.get("analyticsEngine"))
        members = _members(caller, request)
        created = names.now()
        identifier = names.new_id()
        body = {
            **{field: request[field] for field in _CHOSEN_AT_CREATION if field in request},
            "id": identifier,
            "arn": names.collaboration_arn(caller.region, caller.account, identifier),
            "creatorAccountId": caller.account,
            "analyticsEngine": "SPARK",
            "autoApprovedChangeTypes": request.get("autoApprovedChangeRequestTypes"),
            "createTime": created,
            "updateTime": created,
            "_members": [{**member, "createTime": created, "updateTime": created} for member in members],
        }
        with self.store.transaction():
            owned = len(self.store.find("collaboration", owner=caller.account))
            quotas.within(quotas.COLLABORATIONS_PER_ACCOUNT, owned + 1, "Collaborations per account")
            self.store.add("collaboration", body, owner=caller.account)
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"collaboration": _view(body, caller.account)}

    def get_collaboration(self, caller: Caller, **request: Any) -> Document:
        """Shows a collaboration to its creator and to whom it invited."""
        found = self.collaboration_seen_by(caller, request["collaborationIdentifier"])
        return {"collaboration": _view(found, caller.account)}

    def list_collaborations(self, caller: Caller, **request: Any) -> Document:
        """Lists the collaborations that the caller created, is invited to or takes part in."""
        status = request.get("memberStatus")
        member, values = "json_extract(member.value, '$.accountId') = ?", [caller.account]
        if status is not None:
            member, values = f"{member} AND json_extract(member.value, '$.status') = ?", [*values, status]
        shown, more = stored_page(
            self.store,
            "collaboration",
            request,
            f"collaborations {caller.account} {status}",
            parent="",
            condition=f"EXISTS (SELECT 1 FROM json_each(body, '$._members') AS member WHERE {member})",
            values=tuple(values),
        )
        views = [_view(found, caller.account) for found in shown]
        return {"collaborationList": [summary(view, _SUMMARY) for view in views], **more}

    def update_collaboration(self, caller: Caller, **request: Any) -> Document:
        """Changes name or description."""
        _check_engine(request.get("analyticsEngine"))
        with self.store.transaction():
            found = self.collaboration_of_creator(caller, request["collaborationIdentifier"])
            found |= {field: request[field] for field in ("name", "description") if field in request}
            found["updateTime"] = names.now()
            self.store.save("collaboration", found)
            for membership in self.store.find("membership", parent=found["id"]):
                self.store.save("membership", membership | {"collaborationName": found["name"]})
        return {"collaboration": _view(found, caller.account)}

    def delete_collaboration(self, caller: Caller, **request: Any) -> Document:
        """Deletes a collaboration; its memberships stay as COLLABORATION_DELETED until their owners go."""
        with self.store.transaction():
            found = self.collaboration_of_creator(caller, request["collaborationIdentifier"])
            for membership in self.store.find("membership", parent=found["id"]):
                changed = {"status": "COLLABORATION_DELETED", "updateTime": names.now()}
                self.store.save("membership", membership | changed)
            for change_request in self.store.find("change_request", parent=found["id"]):
                self.store.remove("change_request", change_request["id"])
            self.store.remove("collaboration", found["id"])
            self.store.remove("tags", found["arn"])
        settle(self.store, self.managed, found["id"])
        return {}

    def list_members(self, caller: Caller, **request: Any) -> Document:
        """Lists all members with their abilities and statuses, the creator first."""
        found = self.collaboration_seen_by(caller, request["collaborationIdentifier"])
        members = [member | {"_seq": position} for position, member in enumerate(found["_members"])]
        shown, more = page(members, request, f"members {found['id']}")
        return {"memberSummaries": [public(member) for member in shown], **more}

    def delete_member(self, caller: Caller, **request: Any) -> Document:
        """Removes a member; its membership becomes REMOVED and its tables leave the collaboration."""
        with self.store.transaction():
            found = self.collaboration_of_creator(caller, request["collaborationIdentifier"])
            account = request["accountId"]
            member = member_of(found, account)
            if member is None:
                raise refusals.missing("member", account)
            if account == caller.account:
                raise refusals.field_invalid("accountId", "the creator cannot be removed")
            member |= {"status": "REMOVED", "updateTime": names.now()}
            self.store.save("collaboration", found)
            if membership := self.store.get("membership", member.get("membershipId", "")):
                changed = {"status": "REMOVED", "updateTime": names.now()}
                self.store.save("membership", membership | changed)
        settle(self.store, self.managed, found["id"])
        return {}


def _view(collaboration: Document, account: str) -> Document:
    """A collaboration as one of its members sees it."""
    member = member_of(collaboration, account) or {}
    return public(collaboration) | {
        "memberStatus": member.get("status", "INVITED"),
        "membershipId": member.get("membershipId"),
        "membershipArn": member.get("membershipArn"),
    }


def _check_engine(engine: str | None) -> None:
    if engine == "CLEAN_ROOMS_SQL":
        raise refusals.field_invalid(
            "analyticsEngine", "CLEAN_ROOMS_SQL ended on 2025-12-17; collaborations run on SPARK"
        )


def _members(caller: Caller, request: Mapping[str, Any]) -> list[Document]:
    """The members of a new collaboration in the form of MemberSummary, the creator first."""
    creator = {
        "accountId": caller.account,
        "memberAbilities": request["creatorMemberAbilities"],
        "mlMemberAbilities": request.get("creatorMLMemberAbilities"),
        "displayName": request["creatorDisplayName"],
        "paymentConfiguration": request.get("creatorPaymentConfiguration"),
    }
    specified = [creator, *request["members"]]
    accounts = [member["accountId"] for member in specified]
    if len(set(accounts)) < len(accounts):
        raise refusals.field_invalid("members", "an account can be a member only once, the creator included")
    invited = len(request["members"])
    quotas.within(quotas.INVITED_MEMBERS_PER_COLLABORATION, invited, "Invited members per collaboration")
    if sum(CAN_QUERY in member["memberAbilities"] for member in specified) > 1:
        raise refusals.field_invalid("members", "only one member can have the ability CAN_QUERY")
    return [new_member(member) for member in specified]


def new_member(given: Mapping[str, Any]) -> Document:
    """Returns an invited member from a ``MemberSpecification``."""
    payer = given.get("paymentConfiguration")
    return {
        "accountId": given["accountId"],
        "status": "INVITED",
        "displayName": given["displayName"],
        "abilities": given["memberAbilities"],
        "mlAbilities": given.get("mlMemberAbilities"),
        "paymentConfiguration": payer or {"queryCompute": {"isResponsible": False}},
        # Whether the creator named a payer at all decides who pays when nobody was named.
        "_payerNamed": payer is not None,
    }
