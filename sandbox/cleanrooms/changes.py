"""What a change request asks for: the types of its changes, and their application to a collaboration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import quotas, refusals
from sandbox.cleanrooms.collaborations import new_member
from sandbox.cleanrooms.room import CAN_RECEIVE_RESULTS, member_of
from sandbox.cleanrooms.state import Document

CAN_EXPORT = "CAN_EXPORT_QUERY_ANALYSIS_LOG"
# Abilities that are given when a collaboration is created, and never afterwards.
_FIXED = ("CAN_QUERY", "CAN_RUN_JOB")
_ABILITY = {CAN_RECEIVE_RESULTS: "RECEIVE_RESULTS_ABILITY", CAN_EXPORT: "EXPORT_QUERY_ANALYSIS_LOG_ABILITY"}
_ML_ABILITIES = ("CAN_RECEIVE_MODEL_OUTPUT", "CAN_RECEIVE_INFERENCE_OUTPUT")


def typed(collaboration: Document, change: Mapping[str, Any]) -> Document:
    """Returns a ``ChangeInput`` as a ``Change``, with the types that it amounts to.

    :raises ServiceFault: ValidationException for what cannot be asked for, or asks for nothing
    """
    specification = change["specification"]
    wanted = {"MEMBER": "member", "COLLABORATION": "collaboration"}[change["specificationType"]]
    if set(specification) != {wanted}:
        raise refusals.field_invalid("specification", f"takes {wanted} for {change['specificationType']}")
    if wanted == "collaboration":
        types = ["EDIT_AUTO_APPROVED_CHANGE_TYPES"]
    else:
        types = _member_types(collaboration, specification["member"])
    return {**change, "types": types}


def check_together(collaboration: Document, changes: list[Document]) -> None:
    """Lets pass changes that name each account once and keep to the quota of members.

    :raises ServiceFault: ValidationException, ServiceQuotaExceededException
    """
    accounts = [
        one["specification"]["member"]["accountId"] for one in changes if "member" in one["specification"]
    ]
    if len(set(accounts)) < len(accounts):
        raise refusals.field_invalid("changes", "name an account once")
    present = [one for one in collaboration["_members"] if one["status"] in ("INVITED", "ACTIVE")]
    added = sum("ADD_MEMBER" in one["types"] for one in changes)
    quotas.within(
        quotas.INVITED_MEMBERS_PER_COLLABORATION,
        len(present) - 1 + added,
        "Invited members per collaboration",
    )


def apply(collaboration: Document, change: Mapping[str, Any], at: float) -> Document | None:
    """Makes a change in the collaboration's document and returns the member that it is about, if any."""
    if "collaboration" in change["specification"]:
        types = change["specification"]["collaboration"].get("autoApprovedChangeTypes", [])
        collaboration["autoApprovedChangeTypes"] = types
        return None
    asked = change["specification"]["member"]
    member = member_of(collaboration, asked["accountId"])
    if member is None:
        member = {**new_member(asked), "createTime": at, "updateTime": at}
        collaboration["_members"].append(member)
        return member
    kept = [ability for ability in member["abilities"] if ability in _FIXED]
    member |= {"abilities": [*kept, *asked["memberAbilities"]], "updateTime": at}
    if "displayName" in asked:
        member["displayName"] = asked["displayName"]
    if "mlMemberAbilities" in asked:
        member["mlAbilities"] = asked["mlMemberAbilities"]
    if "paymentConfiguration" in asked:
        member |= {"paymentConfiguration": asked["paymentConfiguration"], "_payerNamed": True}
    return member


def _member_types(collaboration: Document, asked: Mapping[str, Any]) -> list[str]:
    if fixed := [ability for ability in asked["memberAbilities"] if ability in _FIXED]:
        raise refusals.field_invalid("memberAbilities", f"{', '.join(fixed)} cannot be granted afterwards")
    member = member_of(collaboration, asked["accountId"])
    if member is None:
        if "displayName" not in asked:
            raise refusals.field_invalid("displayName", "is needed for a new member")
        return ["ADD_MEMBER"]
    if member["status"] not in ("INVITED", "ACTIVE"):
        raise refusals.field_invalid("accountId", "a member that left or was removed cannot join again")
    types = _differences(member["abilities"], asked["memberAbilities"], _ABILITY)
    if "mlMemberAbilities" in asked:
        before = (member.get("mlAbilities") or {}).get("customMLMemberAbilities", [])
        after = asked["mlMemberAbilities"]["customMLMemberAbilities"]
        types += _differences(before, after, {name: name for name in _ML_ABILITIES})
    if "paymentConfiguration" in asked:
        before_pays = member["paymentConfiguration"]["queryCompute"]["isResponsible"]
        pays = asked["paymentConfiguration"]["queryCompute"]["isResponsible"]
        if pays != before_pays:
            types.append("ADD_PAYER_CANDIDATE" if pays else "REMOVE_PAYER_CANDIDATE")
    if not types:
        raise refusals.field_invalid("changes", f"nothing changes for member {asked['accountId']}")
    return types


def _differences(before: list[str], after: list[str], words: Mapping[str, str]) -> list[str]:
    granted = [f"GRANT_{word}" for name, word in words.items() if name in after and name not in before]
    revoked = [f"REVOKE_{word}" for name, word in words.items() if name in before and name not in after]
    return granted + revoked
