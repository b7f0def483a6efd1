"""Collaborations, members and memberships: lifecycles and who sees what."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER, Sandbox
from tests.sandbox.cleanrooms.lab import Lab, any_query

STRANGER = "777788889999"


def create(client: Any, **more: Any) -> dict[str, Any]:
    member = {
        "accountId": ACCOUNT,
        "displayName": "Brand",
        "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
    }
    request = {
        "name": "cr-test",
        "description": "a test",
        "creatorDisplayName": "Retailer",
        "creatorMemberAbilities": [],
        "members": [member],
        "queryLogStatus": "ENABLED",
        **more,
    }
    found: dict[str, Any] = client.create_collaboration(**request)["collaboration"]
    return found


def code(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, str | None]:
    response = refused.value.response
    return response["Error"]["Code"], response.get("reason")


def test_an_invited_account_sees_the_collaboration_and_a_stranger_does_not(aws: Sandbox) -> None:
    made = create(aws.client("cleanrooms", account=PARTNER))

    seen = aws.client("cleanrooms").get_collaboration(collaborationIdentifier=made["id"])["collaboration"]

    assert made["arn"] == f"arn:aws:cleanrooms:us-east-1:{PARTNER}:collaboration/{made['id']}"
    assert seen["memberStatus"] == "INVITED"
    assert "membershipId" not in seen
    with pytest.raises(ClientError) as refused:
        aws.client("cleanrooms", account=STRANGER).get_collaboration(collaborationIdentifier=made["id"])
    assert code(refused) == ("AccessDeniedException", "INSUFFICIENT_PERMISSIONS")


def test_only_the_creator_changes_or_deletes_a_collaboration(lab: Lab) -> None:
    for change in (
        lambda client: client.update_collaboration(collaborationIdentifier=lab.collaboration, name="mine"),
        lambda client: client.delete_collaboration(collaborationIdentifier=lab.collaboration),
        lambda client: client.delete_member(collaborationIdentifier=lab.collaboration, accountId=ACCOUNT),
    ):
        with pytest.raises(ClientError, match="Only the creator"):
            change(lab.brand.clean_rooms)

    lab.retailer.clean_rooms.update_collaboration(collaborationIdentifier=lab.collaboration, name="new name")

    shown = lab.brand.clean_rooms.get_membership(membershipIdentifier=lab.membership)["membership"]
    assert shown["collaborationName"] == "new name"


def test_members_become_active_by_their_own_membership(lab: Lab) -> None:
    listed = lab.brand.clean_rooms.list_members(collaborationIdentifier=lab.collaboration)["memberSummaries"]

    assert [(one["accountId"], one["status"], one["abilities"]) for one in listed] == [
        (PARTNER, "ACTIVE", []),
        (ACCOUNT, "ACTIVE", ["CAN_QUERY", "CAN_RECEIVE_RESULTS"]),
    ]
    assert listed[1]["membershipId"] == lab.membership


def test_a_second_membership_of_an_account_is_a_conflict(lab: Lab) -> None:
    with pytest.raises(ClientError) as refused:
        lab.brand.clean_rooms.create_membership(
            collaborationIdentifier=lab.collaboration, queryLogStatus="ENABLED"
        )
    assert code(refused) == ("ConflictException", "ALREADY_EXISTS")


def test_a_membership_with_tables_cannot_be_deleted(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k"], [("a",)])
    lab.brand.share(lab.membership, "people", ["k"], "CUSTOM", any_query())

    with pytest.raises(ClientError, match="configured table associations") as refused:
        lab.brand.clean_rooms.delete_membership(membershipIdentifier=lab.membership)
    assert code(refused) == ("ConflictException", "SUBRESOURCES_EXIST")


def test_who_left_cannot_come_back(lab: Lab) -> None:
    lab.brand.clean_rooms.delete_membership(membershipIdentifier=lab.membership)

    members = lab.retailer.clean_rooms.list_members(collaborationIdentifier=lab.collaboration)[
        "memberSummaries"
    ]
    assert members[1]["status"] == "LEFT"
    with pytest.raises(ClientError) as refused:
        lab.brand.clean_rooms.create_membership(
            collaborationIdentifier=lab.collaboration, queryLogStatus="ENABLED"
        )
    assert code(refused) == ("ConflictException", "INVALID_STATE")


def test_a_removed_member_keeps_a_membership_that_can_do_nothing(lab: Lab) -> None:
    lab.retailer.clean_rooms.delete_member(collaborationIdentifier=lab.collaboration, accountId=ACCOUNT)

    shown = lab.brand.clean_rooms.get_membership(membershipIdentifier=lab.membership)["membership"]
    assert shown["status"] == "REMOVED"
    with pytest.raises(ClientError, match="not active"):
        lab.start("SELECT 1 AS x")


def test_deleting_a_collaboration_leaves_memberships_that_say_so(lab: Lab) -> None:
    lab.retailer.clean_rooms.delete_collaboration(collaborationIdentifier=lab.collaboration)

    shown = lab.brand.clean_rooms.get_membership(membershipIdentifier=lab.membership)["membership"]
    assert shown["status"] == "COLLABORATION_DELETED"
    with pytest.raises(ClientError) as refused:
        lab.brand.clean_rooms.get_collaboration(collaborationIdentifier=lab.collaboration)
    assert code(refused)[0] == "AccessDeniedException"
    lab.brand.clean_rooms.delete_membership(membershipIdentifier=lab.membership)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"creatorMemberAbilities": ["CAN_QUERY"]}, "only one member can have the ability CAN_QUERY"),
        ({"analyticsEngine": "CLEAN_ROOMS_SQL"}, "CLEAN_ROOMS_SQL ended"),
        ({"members": [{"accountId": PARTNER, "displayName": "me", "memberAbilities": []}]}, "only once"),
    ],
)
def test_impossible_collaborations_are_refused(aws: Sandbox, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create(aws.client("cleanrooms", account=PARTNER), **change)
    assert code(refused) == ("ValidationException", "FIELD_VALIDATION_FAILED")


def test_a_payer_that_does_not_query_has_to_accept_the_payment(aws: Sandbox) -> None:
    retailer = aws.client("cleanrooms", account=PARTNER)
    paying = {"queryCompute": {"isResponsible": True}}
    made = create(retailer, creatorPaymentConfiguration=paying)
    request = {"collaborationIdentifier": made["id"], "queryLogStatus": "ENABLED"}

    with pytest.raises(ClientError, match="has to accept"):
        retailer.create_membership(**request)
    with pytest.raises(ClientError, match="isResponsible is true"):
        retailer.create_membership(**request, paymentConfiguration={"queryCompute": {"isResponsible": False}})

    accepted = retailer.create_membership(**request, paymentConfiguration=paying)["membership"]
    joined = aws.client("cleanrooms").create_membership(**request)["membership"]
    assert accepted["paymentConfiguration"] == paying
    assert joined["paymentConfiguration"] == {"queryCompute": {"isResponsible": False}}


def test_lists_come_in_pages_with_tokens_of_their_own(aws: Sandbox) -> None:
    creator = f"{uuid.uuid4().int % 10**12:012}"
    client = aws.client("cleanrooms", account=creator)
    made = [create(client)["id"] for _ in range(5)]

    pages = client.get_paginator("list_collaborations").paginate(PaginationConfig={"PageSize": 2})
    found = [one["id"] for page in pages for one in page["collaborationList"]]
    first = client.list_collaborations(maxResults=2)

    assert found == made
    assert len(first["collaborationList"]) == 2
    with pytest.raises(ClientError, match="not a token of this list"):
        client.list_memberships(nextToken=first["nextToken"])


def test_resources_carry_tags(lab: Lab) -> None:
    client = lab.brand.clean_rooms
    arn = client.get_membership(membershipIdentifier=lab.membership)["membership"]["arn"]

    client.tag_resource(resourceArn=arn, tags={"Owner": "data", "Environment": "dev"})
    client.untag_resource(resourceArn=arn, tagKeys=["Environment"])

    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"Owner": "data"}
    with pytest.raises(ClientError) as refused:
        lab.retailer.clean_rooms.list_tags_for_resource(resourceArn=arn)
    assert code(refused)[0] == "ResourceNotFoundException"


def test_an_operation_that_is_not_there_says_its_name(lab: Lab) -> None:
    with pytest.raises(ClientError, match="ListProtectedJobs"):
        lab.brand.clean_rooms.list_protected_jobs(membershipIdentifier=lab.membership)
