"""Where results go: to the runner, to other members, in the Regions that the collaboration permits."""

from __future__ import annotations

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER, Sandbox
from tests.sandbox.cleanrooms.lab import Lab, Party, any_query, rows

COUNT = "SELECT p.city, COUNT(*) AS n FROM people p GROUP BY p.city ORDER BY p.city"
THIRD = "777788889999"


class Shared(Lab):
    """A collaboration whose retailer may receive results, too."""

    def __init__(self, aws: Sandbox, **more: Any) -> None:
        self.aws = aws
        self.brand, self.retailer = Party(aws, ACCOUNT), Party(aws, PARTNER)
        retailer = {
            "accountId": PARTNER,
            "displayName": "Retailer",
            "memberAbilities": ["CAN_RECEIVE_RESULTS"],
        }
        self.collaboration = self.brand.clean_rooms.create_collaboration(
            name="cr-shared",
            creatorDisplayName="Brand",
            creatorMemberAbilities=["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
            members=[retailer],
            queryLogStatus="ENABLED",
            **more,
        )["collaboration"]["id"]
        self.membership = self._join(self.brand)
        self.retailer_membership = self._join(self.retailer)
        self.brand.csv_table("people", ["k", "city"], [("1", "Rome"), ("2", "Oslo")])
        receivers = [ACCOUNT, PARTNER]
        self.brand.share(self.membership, "people", ["k", "city"], "CUSTOM", any_query(), receivers=receivers)

    def receive_at_retailer(self, role: str) -> None:
        output = {"s3": {"resultFormat": "PARQUET", "bucket": self.retailer.results, "keyPrefix": "in"}}
        self.retailer.clean_rooms.update_membership(
            membershipIdentifier=self.retailer_membership,
            defaultResultConfiguration={"outputConfiguration": output, "roleArn": role},
        )

    def distribute(self) -> str:
        own = {"s3": {"resultFormat": "CSV", "bucket": self.brand.results}}
        locations = [own, {"member": {"accountId": PARTNER}}]
        return self.start(
            COUNT, resultConfiguration={"outputConfiguration": {"distribute": {"locations": locations}}}
        )


def writer(lab: Lab, *actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    name = f"receiver-{lab.retailer.prefix}"
    return lab.aws.role(name, statement, account=PARTNER, trust={"Service": "cleanrooms.amazonaws.com"})


def test_a_result_is_distributed_to_the_runner_and_to_another_member(aws: Sandbox) -> None:
    lab = Shared(aws)
    lab.receive_at_retailer(writer(lab, "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"))

    query = lab.distribute()
    output = lab.wait(query)["result"]["output"]["distribute"]

    assert output["memberList"] == [{"accountId": PARTNER}]
    assert lab.result_object(output["s3"]["location"])[0] == b"city,n\nOslo,1\nRome,1\n"
    place = f"s3://{lab.retailer.results}/in/collaboration={lab.collaboration}/{query}/"
    body, _ = lab.result_object(place, lab.retailer)
    assert rows(pq.read_table(io.BytesIO(body))) == {("Oslo", 1), ("Rome", 1)}


def test_a_receiver_sees_the_query_without_its_text(aws: Sandbox) -> None:
    lab = Shared(aws)
    lab.receive_at_retailer(writer(lab, "s3:PutObject"))
    query = lab.distribute()
    lab.wait(query)

    seen = lab.retailer.clean_rooms.get_protected_query(
        membershipIdentifier=lab.retailer_membership, protectedQueryIdentifier=query
    )["protectedQuery"]

    assert seen["status"] == "SUCCESS"
    assert "sqlParameters" not in seen


def test_a_result_role_that_cannot_write_fails_the_query(aws: Sandbox) -> None:
    lab = Shared(aws)
    lab.receive_at_retailer(writer(lab, "s3:GetObject"))
    shown = lab.wait(lab.distribute())
    assert (shown["status"], shown["error"]["code"]) == ("FAILED", "RESOURCE_ACCESS_DENIED")
    assert "Contents" not in lab.brand.s3.list_objects_v2(Bucket=lab.brand.results)


def test_the_runner_is_no_member_location(aws: Sandbox) -> None:
    lab = Shared(aws)
    locations = [{"member": {"accountId": ACCOUNT}}]
    with pytest.raises(ClientError, match="member location"):
        lab.start(
            COUNT, resultConfiguration={"outputConfiguration": {"distribute": {"locations": locations}}}
        )


def test_a_result_goes_to_several_members_each_in_its_own_format(aws: Sandbox) -> None:
    lab = Shared(aws, autoApprovedChangeRequestTypes=["ADD_MEMBER"])
    third, client = Party(aws, THIRD), lab.brand.clean_rooms
    member = {"accountId": THIRD, "memberAbilities": ["CAN_RECEIVE_RESULTS"], "displayName": "Agency"}
    asked = client.create_collaboration_change_request(
        collaborationIdentifier=lab.collaboration,
        changes=[{"specificationType": "MEMBER", "specification": {"member": member}}],
    )["collaborationChangeRequest"]
    client.update_collaboration_change_request(
        collaborationIdentifier=lab.collaboration, changeRequestIdentifier=asked["id"], action="COMMIT"
    )
    third.clean_rooms.create_membership(
        collaborationIdentifier=lab.collaboration,
        queryLogStatus="DISABLED",
        defaultResultConfiguration={
            "outputConfiguration": {"s3": {"resultFormat": "CSV", "bucket": third.results}}
        },
    )
    lab.receive_at_retailer(writer(lab, "s3:PutObject"))
    table = client.list_configured_table_associations(membershipIdentifier=lab.membership)
    policy = {"v1": {"custom": {"allowedResultReceivers": [ACCOUNT, PARTNER, THIRD]}}}
    client.update_configured_table_association_analysis_rule(
        membershipIdentifier=lab.membership,
        configuredTableAssociationIdentifier=table["configuredTableAssociationSummaries"][0]["id"],
        analysisRuleType="CUSTOM",
        analysisRulePolicy=policy,
    )

    locations = [{"member": {"accountId": PARTNER}}, {"member": {"accountId": THIRD}}]
    query = lab.start(
        COUNT, resultConfiguration={"outputConfiguration": {"distribute": {"locations": locations}}}
    )
    shown = lab.wait(query)

    assert shown["status"] == "SUCCESS", shown.get("error")
    assert shown["result"]["output"]["distribute"]["memberList"] == [
        {"accountId": PARTNER},
        {"accountId": THIRD},
    ]
    tail = f"collaboration={lab.collaboration}/{query}/"
    parquet, _ = lab.result_object(f"s3://{lab.retailer.results}/in/{tail}", lab.retailer)
    assert rows(pq.read_table(io.BytesIO(parquet))) == {("Oslo", 1), ("Rome", 1)}
    text, _ = lab.result_object(f"s3://{third.results}/{tail}", third)
    assert text == b"city,n\nOslo,1\nRome,1\n"


def test_results_stay_in_the_regions_that_the_collaboration_permits(aws: Sandbox) -> None:
    lab = Shared(aws, allowedResultRegions=["eu-west-1"])
    with pytest.raises(ClientError, match="allowedResultRegions") as refused:
        lab.start(COUNT)
    assert refused.value.response["reason"] == "INVALID_CONFIGURATION"

    abroad = f"abroad-{lab.brand.prefix}"
    client = lab.brand.client("s3", region="eu-west-1")
    client.create_bucket(Bucket=abroad, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place = {"s3": {"resultFormat": "CSV", "bucket": abroad}}
    assert lab.start(COUNT, resultConfiguration={"outputConfiguration": place})
