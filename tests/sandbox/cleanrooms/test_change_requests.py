"""Collaborations change after their creation when their members agree."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER
from tests.sandbox.cleanrooms.lab import Lab

NEWCOMER = "777788889999"
RECEIVE = ["CAN_RECEIVE_RESULTS"]


def change(account: str, abilities: list[str], **more: Any) -> dict[str, Any]:
    member = {"accountId": account, "memberAbilities": abilities, **more}
    return {"specificationType": "MEMBER", "specification": {"member": member}}


def automatic(*types: str) -> dict[str, Any]:
    specification = {"collaboration": {"autoApprovedChangeTypes": list(types)}}
    return {"specificationType": "COLLABORATION", "specification": specification}


def ask(lab: Lab, *changes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = lab.retailer.clean_rooms.create_collaboration_change_request(
        collaborationIdentifier=lab.collaboration, changes=list(changes)
    )["collaborationChangeRequest"]
    return found


def act(lab: Lab, asked: dict[str, Any], action: str, client: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = (client or lab.retailer.clean_rooms).update_collaboration_change_request(
        collaborationIdentifier=lab.collaboration, changeRequestIdentifier=asked["id"], action=action
    )["collaborationChangeRequest"]
    return found


def commit(lab: Lab, *changes: dict[str, Any]) -> dict[str, Any]:
    asked = ask(lab, *changes)
    if asked["status"] == "PENDING":
        act(lab, asked, "APPROVE", lab.brand.clean_rooms)
    return act(lab, asked, "COMMIT")


def members(lab: Lab) -> dict[str, dict[str, Any]]:
    listed = lab.brand.clean_rooms.list_members(collaborationIdentifier=lab.collaboration)
    return {one["accountId"]: one for one in listed["memberSummaries"]}


def conflict(refused: pytest.ExceptionInfo[ClientError]) -> bool:
    response = refused.value.response
    return (response["Error"]["Code"], response["reason"]) == ("ConflictException", "INVALID_STATE")


def test_an_ability_is_granted_when_the_members_approve_and_the_creator_commits(lab: Lab) -> None:
    asked = ask(lab, change(PARTNER, RECEIVE))
    assert (asked["status"], asked["isAutoApproved"]) == ("PENDING", False)
    assert asked["changes"][0]["types"] == ["GRANT_RECEIVE_RESULTS_ABILITY"]
    assert asked["approvals"] == {ACCOUNT: {"status": "PENDING"}}

    approved = act(lab, asked, "APPROVE", lab.brand.clean_rooms)
    assert (approved["status"], members(lab)[PARTNER]["abilities"]) == ("APPROVED", [])
    assert act(lab, asked, "COMMIT")["status"] == "COMMITTED"

    assert members(lab)[PARTNER]["abilities"] == RECEIVE
    membership = lab.retailer.clean_rooms.get_membership(membershipIdentifier=lab.retailer_membership)
    assert membership["membership"]["memberAbilities"] == RECEIVE


def test_abilities_are_replaced_as_a_list_but_who_queries_stays(lab: Lab) -> None:
    committed = commit(lab, change(ACCOUNT, ["CAN_EXPORT_QUERY_ANALYSIS_LOG"]))
    assert committed["changes"][0]["types"] == [
        "GRANT_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
        "REVOKE_RECEIVE_RESULTS_ABILITY",
    ]
    assert members(lab)[ACCOUNT]["abilities"] == ["CAN_QUERY", "CAN_EXPORT_QUERY_ANALYSIS_LOG"]


def test_a_new_member_is_invited_and_can_join(lab: Lab) -> None:
    commit(lab, change(NEWCOMER, [], displayName="Publisher"))
    assert members(lab)[NEWCOMER]["status"] == "INVITED"
    client = lab.aws.client("cleanrooms", account=NEWCOMER)
    client.create_membership(collaborationIdentifier=lab.collaboration, queryLogStatus="DISABLED")
    assert members(lab)[NEWCOMER]["status"] == "ACTIVE"


def test_a_payer_is_added(lab: Lab) -> None:
    payer = {"queryCompute": {"isResponsible": True}}
    committed = commit(lab, change(PARTNER, [], paymentConfiguration=payer))
    assert committed["changes"][0]["types"] == ["ADD_PAYER_CANDIDATE"]
    membership = lab.retailer.clean_rooms.get_membership(membershipIdentifier=lab.retailer_membership)
    assert membership["membership"]["paymentConfiguration"] == payer


def test_types_that_are_approved_automatically_wait_for_nobody(lab: Lab) -> None:
    commit(lab, automatic("GRANT_RECEIVE_RESULTS_ABILITY"))

    asked = ask(lab, change(PARTNER, RECEIVE))

    assert (asked["status"], asked["isAutoApproved"]) == ("APPROVED", True)
    shown = lab.brand.clean_rooms.get_collaboration(collaborationIdentifier=lab.collaboration)
    assert shown["collaboration"]["autoApprovedChangeTypes"] == ["GRANT_RECEIVE_RESULTS_ABILITY"]


def test_what_was_denied_or_cancelled_is_not_committed(lab: Lab) -> None:
    denied = ask(lab, change(PARTNER, RECEIVE))
    assert act(lab, denied, "DENY", lab.brand.clean_rooms)["status"] == "DENIED"
    cancelled = ask(lab, change(PARTNER, RECEIVE))
    assert act(lab, cancelled, "CANCEL")["status"] == "CANCELLED"
    for asked in (denied, cancelled, ask(lab, change(PARTNER, RECEIVE))):
        with pytest.raises(ClientError) as refused:
            act(lab, asked, "COMMIT")
        assert conflict(refused)
    assert members(lab)[PARTNER]["abilities"] == []


def test_of_two_requests_for_the_same_the_second_cannot_be_committed(lab: Lab) -> None:
    first, second = ask(lab, change(PARTNER, RECEIVE)), ask(lab, change(PARTNER, RECEIVE))
    for asked in (first, second):
        act(lab, asked, "APPROVE", lab.brand.clean_rooms)
    act(lab, first, "COMMIT")
    with pytest.raises(ClientError, match="nothing changes"):
        act(lab, second, "COMMIT")
    shown = lab.brand.clean_rooms.get_collaboration_change_request(
        collaborationIdentifier=lab.collaboration, changeRequestIdentifier=second["id"]
    )["collaborationChangeRequest"]
    assert shown["status"] == "APPROVED"


def test_only_the_creator_asks_and_commits_and_it_does_not_vote(lab: Lab) -> None:
    with pytest.raises(ClientError, match="Only the creator"):
        lab.brand.clean_rooms.create_collaboration_change_request(
            collaborationIdentifier=lab.collaboration, changes=[change(PARTNER, RECEIVE)]
        )
    asked = ask(lab, change(PARTNER, RECEIVE))
    with pytest.raises(ClientError, match="Only the creator"):
        act(lab, asked, "COMMIT", lab.brand.clean_rooms)
    with pytest.raises(ClientError, match="not asked to approve"):
        act(lab, asked, "APPROVE")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ([change(PARTNER, ["CAN_QUERY"])], "CAN_QUERY cannot be granted"),
        ([change(PARTNER, [])], "nothing changes"),
        ([change(NEWCOMER, [])], "displayName"),
        ([change(PARTNER, RECEIVE), change(PARTNER, RECEIVE)], "an account once"),
        ([{**change(PARTNER, RECEIVE), "specificationType": "COLLABORATION"}], "takes collaboration"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(lab: Lab, asked: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ClientError, match=why) as refused:
        ask(lab, *asked)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_sixth_invited_member_is_over_the_quota(lab: Lab) -> None:
    five = [change(f"{number}" * 12, [], displayName="Member") for number in range(5, 10)]
    with pytest.raises(ClientError) as refused:
        ask(lab, *five)
    assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"


def test_requests_are_listed_by_status(lab: Lab) -> None:
    asked = ask(lab, change(PARTNER, RECEIVE))
    act(lab, ask(lab, automatic("ADD_MEMBER")), "CANCEL")
    listed = lab.brand.clean_rooms.list_collaboration_change_requests(
        collaborationIdentifier=lab.collaboration, status="PENDING"
    )["collaborationChangeRequestSummaries"]
    assert [one["id"] for one in listed] == [asked["id"]]
