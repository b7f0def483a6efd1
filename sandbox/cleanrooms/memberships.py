"""Memberships: how an invited account takes part in a collaboration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.paging import stored_page
from sandbox.cleanrooms.payers import is_payer
from sandbox.cleanrooms.room import CAN_QUERY, Room, member_of, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

_SUMMARY = (
    "id",
    "arn",
    "collaborationArn",
    "collaborationId",
    "collaborationCreatorAccountId",
    "collaborationCreatorDisplayName",
    "collaborationName",
    "createTime",
    "updateTime",
    "status",
    "memberAbilities",
    "mlMemberAbilities",
    "paymentConfiguration",
)
# What must be deleted before a membership can be.
_CHILDREN = (
    "configured_table_association",
    "analysis_template",
    "privacy_budget_template",
    "id_mapping_table",
    "intermediate_table",
    "id_namespace_association",
)


class Memberships(Room):
    """Operations on memberships."""

    def create_membership(self, caller: Caller, **request: Any) -> Document:
        """Accepts an invitation; only the invited account itself can."""
        with self.store.transaction():
            collaboration = self.collaboration_seen_by(caller, request["collaborationIdentifier"])
            member = member_of(collaboration, caller.account)
            assert member is not None  # seen_by found the caller among the members
            _check_joining(member, collaboration)
            responsible = _accepted_payment(collaboration, member, request.get("paymentConfiguration"))
            joined = len(self.store.find("membership", owner=caller.account))
            quotas.within(quotas.MEMBERSHIPS_PER_ACCOUNT, joined + 1, "Memberships per account")
            body = _new(caller, collaboration, member, request)
            body["paymentConfiguration"] = responsible
            self.store.add("membership", body, owner=caller.account, parent=collaboration["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
            member |= {
                "status": "ACTIVE",
                "membershipId": body["id"],
                "membershipArn": body["arn"],
                "updateTime": body["createTime"],
            }
            self.store.save("collaboration", collaboration)
        return {"membership": public(body)}

    def get_membership(self, caller: Caller, **request: Any) -> Document:
        """Shows a membership to its account."""
        return {"membership": public(self.membership_of(caller, request["membershipIdentifier"]))}

    def list_memberships(self, caller: Caller, **request: Any) -> Document:
        """Lists the memberships of the caller's account."""
        status = request.get("status")
        shown, more = stored_page(
            self.store,
            "membership",
            request,
            f"memberships {caller.account} {status}",
            owner=caller.account,
            condition="? IS NULL OR json_extract(body, '$.status') = ?",
            values=(status, status),
        )
        return {"membershipSummaries": [summary(item, _SUMMARY) for item in shown], **more}

    def update_membership(self, caller: Caller, **request: Any) -> Document:
        """Changes log status and default result configurations."""
        with self.store.transaction():
            found = self.active_membership_of(caller, request["membershipIdentifier"])
            for field in (
                "queryLogStatus",
                "jobLogStatus",
                "defaultResultConfiguration",
                "defaultJobResultConfiguration",
            ):
                if field in request:
                    found[field] = request[field]
            found["updateTime"] = names.now()
            self.store.save("membership", found)
        return {"membership": public(found)}

    def delete_membership(self, caller: Caller, **request: Any) -> Document:
        """Leaves a collaboration for good.

        :raises ServiceFault: ConflictException while associations or templates are left
        """
        with self.store.transaction():
            found = self.membership_of(caller, request["membershipIdentifier"])
            left = [kind for kind in _CHILDREN if self.store.find(kind, parent=found["id"])]
            if left:
                kinds = " and ".join(f"{kind.replace('_', ' ')}s" for kind in left)
                message = f"All resources under a membership must be deleted first; it still has {kinds}."
                raise refusals.conflict("MEMBERSHIP", found["id"], "SUBRESOURCES_EXIST", message)
            self.store.remove("membership", found["id"])
            self.store.remove("tags", found["arn"])
            collaboration = self.store.get("collaboration", found["collaborationId"])
            member = member_of(collaboration, caller.account) if collaboration else None
            if collaboration and member and member["status"] == "ACTIVE":
                member |= {"status": "LEFT", "updateTime": names.now()}
                self.store.save("collaboration", collaboration)
        return {}


def _check_joining(member: Document, collaboration: Document) -> None:
    if member["status"] == "ACTIVE":
        message = f"{member['accountId']} has joined collaboration {collaboration['id']} already."
        raise refusals.conflict("MEMBERSHIP", member["membershipId"], "ALREADY_EXISTS", message)
    if member["status"] != "INVITED":
        message = f"A member that {member['status'].lower()} the collaboration cannot join it again."
        raise refusals.conflict("COLLABORATION", collaboration["id"], "INVALID_STATE", message)


def _accepted_payment(
    collaboration: Document, member: Document, given: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """The payment that the member accepts, which must be what the creator set."""
    responsible = is_payer(collaboration, member)
    if given is None:
        if responsible and CAN_QUERY not in member["abilities"]:
            raise refusals.field_invalid(
                "paymentConfiguration", "a member that pays for another's queries has to accept it"
            )
        return {"queryCompute": {"isResponsible": responsible}}
    accepted = given["queryCompute"]["isResponsible"]
    if accepted != responsible:
        raise refusals.field_invalid(
            "paymentConfiguration",
            f"queryCompute.isResponsible is {str(responsible).lower()} in the collaboration",
        )
    return given


def _new(
    caller: Caller, collaboration: Document, member: Document, request: Mapping[str, Any]
) -> dict[str, Any]:
    identifier, created = names.new_id(), names.now()
    return {
        "id": identifier,
        "arn": names.membership_arn(names.region_of(collaboration["arn"]), caller.account, identifier),
        "collaborationArn": collaboration["arn"],
        "collaborationId": collaboration["id"],
        "collaborationCreatorAccountId": collaboration["creatorAccountId"],
        "collaborationCreatorDisplayName": collaboration["creatorDisplayName"],
        "collaborationName": collaboration["name"],
        "createTime": created,
        "updateTime": created,
        "status": "ACTIVE",
        "memberAbilities": member["abilities"],
        "mlMemberAbilities": member.get("mlAbilities"),
        "queryLogStatus": request["queryLogStatus"],
        "jobLogStatus": request.get("jobLogStatus"),
        "defaultResultConfiguration": request.get("defaultResultConfiguration"),
        "defaultJobResultConfiguration": request.get("defaultJobResultConfiguration"),
        "isMetricsEnabled": request.get("isMetricsEnabled"),
    }
