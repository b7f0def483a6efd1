"""EventBridge: a rule on the default bus hands the service's events to a queue."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pyarrow as pa
import pytest

from sandbox.testing import Sandbox, running
from tests.sandbox.cleanrooms.lab import ACCOUNT, PARTNER, REGION, Lab, any_query
from tests.waiting import until

THIRD = "777788889999"


class Inbox:
    """A queue of an account that gets all events of Clean Rooms."""

    def __init__(self, aws: Sandbox, account: str, pattern: dict[str, Any] | None = None) -> None:
        self.sqs, events = aws.client("sqs", account=account), aws.client("events", account=account)
        name = f"events-{uuid.uuid4().hex[:8]}"
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.cleanrooms"], **(pattern or {})}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
        self.seen: list[dict[str, Any]] = []

    def expect(self, *kinds: str) -> list[dict[str, Any]]:
        """Waits until an event of each kind has come and returns these, in the order of ``kinds``."""
        until(self.read, lambda seen: set(kinds) <= set(seen))
        return [next(one for one in self.seen if one["detail-type"] == kind) for kind in kinds]

    def read(self) -> list[str]:
        """Kinds of all that has come so far."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.seen.append(json.loads(message["Body"]))
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [one["detail-type"] for one in self.seen]


def share(lab: Lab) -> None:
    lab.retailer.parquet_table("visits", {"store": "string"}, pa.table({"store": ["secret"]}))
    lab.retailer.share(lab.retailer_membership, "visits", ["store"], "CUSTOM", any_query())


def test_runner_hears_of_each_status_of_a_query_and_the_data_owner_does_not(lab: Lab) -> None:
    share(lab)
    mine, theirs = Inbox(lab.aws, ACCOUNT), Inbox(lab.aws, PARTNER)
    query = lab.start("SELECT COUNT(*) AS n FROM visits v WHERE v.store = 'secret'")
    events = mine.expect("Protected Query Submitted", "Protected Query Started", "Protected Query Succeeded")

    assert [one["detail"]["status"] for one in events] == ["SUBMITTED", "STARTED", "SUCCESS"]
    (first, *_) = events
    assert (first["source"], first["account"], first["region"]) == ("aws.cleanrooms", ACCOUNT, REGION)
    assert first["detail"]["id"] == query
    assert first["detail"]["membershipId"] == lab.membership
    assert first["detail"]["collaborationId"] == lab.collaboration
    assert "secret" not in json.dumps(mine.seen)
    theirs.read()
    assert theirs.seen == []


def test_a_cancelled_and_a_refused_query_have_their_events() -> None:
    slow = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "60", "SANDBOX_CLEANROOMS_VIOLATIONS": "async"}
    with running(environment=slow) as aws:
        lab = Lab(aws)
        share(lab)
        inbox = Inbox(aws, ACCOUNT, {"detail": {"status": ["CANCELLING", "CANCELLED", "FAILED"]}})
        query = lab.start("SELECT v.store FROM visits v")
        lab.wait(query, "STARTED")
        lab.brand.clean_rooms.update_protected_query(
            membershipIdentifier=lab.membership, protectedQueryIdentifier=query, targetStatus="CANCELLED"
        )
        lab.start("SELECT v.nothing FROM visits v")
        inbox.expect("Protected Query Cancelling", "Protected Query Cancelled", "Protected Query Failed")
        assert len(inbox.seen) == 3


def test_members_hear_of_what_the_others_bring_into_the_collaboration(aws: Sandbox) -> None:
    mine, theirs = Inbox(aws, ACCOUNT), Inbox(aws, PARTNER)
    lab = Lab(aws)
    theirs.expect("Collaboration Created", "Membership Created")
    mine.expect("Invited To Collaboration", "Membership Created")
    assert "Collaboration Created" not in mine.read()

    share(lab)
    lab.retailer.clean_rooms.update_collaboration(collaborationIdentifier=lab.collaboration, name="renamed")
    association = lab.retailer.clean_rooms.list_configured_table_associations(
        membershipIdentifier=lab.retailer_membership
    )["configuredTableAssociationSummaries"][0]["id"]
    lab.retailer.clean_rooms.delete_configured_table_association(
        membershipIdentifier=lab.retailer_membership, configuredTableAssociationIdentifier=association
    )
    mine.expect(
        "Configured Table Association Created",
        "Configured Table Association Analysis Rule Created",
        "Configured Table Association Deleted",
        "Configured Table Association Analysis Rule Deleted",
        "Collaboration Updated",
    )
    deleted = Inbox(aws, ACCOUNT, {"detail": {"status": ["COLLABORATION_DELETED"]}})
    lab.retailer.clean_rooms.delete_collaboration(collaborationIdentifier=lab.collaboration)
    (updated,) = deleted.expect("Membership Updated")
    assert updated["resources"] == [updated["detail"]["arn"]]


def test_a_change_request_is_told_to_all_members_and_an_invitation_to_the_invited(lab: Lab) -> None:
    mine, invited = Inbox(lab.aws, ACCOUNT), Inbox(lab.aws, THIRD)
    change = {
        "specificationType": "MEMBER",
        "specification": {"member": {"accountId": THIRD, "displayName": "Third", "memberAbilities": []}},
    }
    asked = lab.retailer.clean_rooms.create_collaboration_change_request(
        collaborationIdentifier=lab.collaboration, changes=[change]
    )["collaborationChangeRequest"]["id"]
    for client, action in ((lab.brand.clean_rooms, "APPROVE"), (lab.retailer.clean_rooms, "COMMIT")):
        client.update_collaboration_change_request(
            collaborationIdentifier=lab.collaboration, changeRequestIdentifier=asked, action=action
        )
    mine.expect(*(f"Collaboration Change Request {word}" for word in ("Created", "Approved", "Committed")))
    invited.expect("Invited To Collaboration")


def test_a_call_that_changes_nothing_tells_nothing(lab: Lab) -> None:
    inbox = Inbox(lab.aws, ACCOUNT)
    with pytest.raises(lab.brand.clean_rooms.exceptions.ValidationException):
        lab.start("SELECT nothing FROM nowhere")
    inbox.read()
    assert inbox.seen == []
