"""CloudTrail events of Clean Rooms, in the form of the User Guide's examples."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cleanrooms.lab import ACCOUNT, PARTNER, Lab, any_query, user

SECRET = "shop-on-the-corner"


@pytest.fixture
def visits(lab: Lab) -> Lab:
    lab.retailer.parquet_table("visits", {"store": "string"}, pa.table({"store": [SECRET]}))
    lab.retailer.share(lab.retailer_membership, "visits", ["store"], "CUSTOM", any_query())
    return lab


def events(lab: Lab, name: str, account: str = ACCOUNT) -> list[dict[str, Any]]:
    """The account's events of that name about the lab's collaboration, the newest first."""
    trail = lab.aws.client("cloudtrail", account=account)
    pages = trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
    )
    found = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    known = (lab.membership, lab.retailer_membership, lab.collaboration)
    return [event for event in found if any(one in json.dumps(event) for one in known)]


def test_a_started_query_is_recorded_with_its_answer_and_without_its_text(visits: Lab) -> None:
    query = visits.start(f"SELECT COUNT(*) AS n FROM visits v WHERE v.store = '{SECRET}'")
    (event,) = events(visits, "StartProtectedQuery")
    place = {"resultFormat": "PARQUET", "bucket": visits.brand.results, "keyPrefix": "weekly/"}
    assert event["requestParameters"] == {
        "membershipIdentifier": visits.membership,
        "type": "SQL",
        "sqlParameters": "***",
        "resultConfiguration": {"outputConfiguration": {"s3": place}},
    }
    answered = event["responseElements"]["protectedQuery"]
    assert (answered["id"], answered["status"], answered["sqlParameters"]) == (query, "SUBMITTED", "***")
    assert "errorCode" not in event
    assert SECRET not in json.dumps(event)


def test_a_refused_query_is_recorded_with_its_message(visits: Lab) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        visits.start(f"SELECT v.nothing FROM visits v WHERE v.store = '{SECRET}'")
    (event,) = events(visits, "StartProtectedQuery")
    assert event["errorCode"] == "ValidationException"
    assert "nothing" in event["responseElements"]["message"]
    assert event["requestParameters"]["sqlParameters"] == "***"
    assert SECRET not in json.dumps(event)


def test_a_call_that_iam_refuses_is_recorded_for_the_account(visits: Lab) -> None:
    other = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    keys = user(visits.aws, f"nobody-{visits.brand.prefix}", other)
    with pytest.raises(ClientError, match="AccessDenied"):
        visits.start("SELECT 1", client=visits.brand.client("cleanrooms", credentials=keys))
    trail = visits.aws.client("cloudtrail")
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": f"nobody-{visits.brand.prefix}"}]
    )["Events"]
    (event,) = [json.loads(one["CloudTrailEvent"]) for one in found]
    assert (event["eventName"], event["errorCode"]) == ("StartProtectedQuery", "AccessDeniedException")
    assert "SELECT" not in json.dumps(event)


def test_a_call_that_only_reads_has_parameters_and_no_answer(visits: Lab) -> None:
    visits.brand.clean_rooms.get_schema(collaborationIdentifier=visits.collaboration, name="visits")
    (event,) = events(visits, "GetSchema")
    assert event["requestParameters"] == {"collaborationIdentifier": visits.collaboration, "name": "visits"}
    assert event["responseElements"] is None


def test_others_do_not_see_the_runners_events(visits: Lab) -> None:
    visits.start("SELECT COUNT(*) AS n FROM visits v")
    assert events(visits, "StartProtectedQuery", PARTNER) == []
