"""The audit, and CloudTrail beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.audit import error_code
from sandbox.testing import ACCOUNT, PARTNER, Sandbox
from sandbox.trail import MASK
from tests.sandbox.tiny import MEMBERSHIP

Names = Callable[[str], str]


def latest(aws: Sandbox) -> int:
    calls = aws.audit()
    return int(calls[-1]["number"]) if calls else 0


def trail(aws: Sandbox, account: str) -> list[dict[str, Any]]:
    events = aws.client("cloudtrail", account=account).lookup_events(MaxResults=50)["Events"]
    return [{**event, **json.loads(event["CloudTrailEvent"])} for event in events]


def test_a_call_is_recorded_with_who_and_how_it_ended(aws: Sandbox, fresh: Names) -> None:
    role = aws.role(fresh("role"), {"Effect": "Allow", "Action": "cleanrooms:List*", "Resource": "*"})
    client = aws.client("cleanrooms", credentials=aws.assume(role))
    before = latest(aws)
    client.list_memberships()
    with pytest.raises(ClientError):
        client.get_membership(membershipIdentifier=MEMBERSHIP)
    with pytest.raises(ClientError):
        aws.client("cleanrooms", account=PARTNER).get_membership(membershipIdentifier=MEMBERSHIP)
    kept = ("account", "principal", "service", "operation", "status", "error")
    assert [tuple(call[name] for name in kept) for call in aws.audit(before)] == [
        (ACCOUNT, role, "cleanrooms", "ListMemberships", 200, ""),
        (ACCOUNT, role, "cleanrooms", "GetMembership", 403, "AccessDeniedException"),
        (
            PARTNER,
            f"arn:aws:iam::{PARTNER}:root",
            "cleanrooms",
            "GetMembership",
            404,
            "ResourceNotFoundException",
        ),
    ]


def test_a_call_with_an_unknown_key_has_no_principal(aws: Sandbox) -> None:
    before = latest(aws)
    unknown = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    with pytest.raises(ClientError):
        aws.client("sns", credentials=unknown).list_topics()
    (call,) = aws.audit(before)
    assert (call["principal"], call["operation"], call["status"]) == ("", "ListTopics", 403)


def test_injected_faults_are_marked(aws: Sandbox) -> None:
    before = latest(aws)
    aws.faults({"match": "ListTopics", "status": 503, "code": "ServiceUnavailable"})
    with pytest.raises(ClientError):
        aws.client("sns").list_topics()
    (call,) = aws.audit(before)
    assert (call["fault"], call["status"], call["error"]) == ("status", 503, "ServiceUnavailable")


def test_nothing_of_what_a_call_carries_is_recorded(aws: Sandbox) -> None:
    before = latest(aws)
    query = {"queryString": "select 'alice@example.com'"}
    with pytest.raises(ClientError):
        aws.client("cleanrooms").start_protected_query(
            membershipIdentifier=MEMBERSHIP, type="SQL", sqlParameters=query
        )
    assert "alice" not in json.dumps(aws.audit(before))


def test_the_trail_names_operations_exactly(aws: Sandbox) -> None:
    account = "555566667777"
    aws.client("cleanrooms", account=account).list_memberships()
    aws.client("sns", account=account).create_topic(Name="runs")
    aws.client("s3", account=account).create_bucket(Bucket="trail-of-names")
    aws.client("s3", account=account).put_object(Bucket="trail-of-names", Key="a", Body=b"1")
    found = [(event["EventSource"], event["EventName"]) for event in trail(aws, account)]
    assert found == [
        ("s3.amazonaws.com", "CreateBucket"),
        ("sns.amazonaws.com", "CreateTopic"),
        ("cleanrooms.amazonaws.com", "ListMemberships"),
    ]


def test_the_trail_keeps_refused_calls_and_hides_what_is_sensitive(aws: Sandbox) -> None:
    account = "666677778888"
    query = {"queryString": "select 'alice@example.com'"}
    with pytest.raises(ClientError):
        aws.client("cleanrooms", account=account).start_protected_query(
            membershipIdentifier=MEMBERSHIP, type="SQL", sqlParameters=query
        )
    (event,) = trail(aws, account)
    assert (event["EventName"], event["errorCode"]) == ("StartProtectedQuery", "ConflictException")
    assert event["requestParameters"] == {
        "membershipIdentifier": MEMBERSHIP,
        "type": "SQL",
        "sqlParameters": MASK,
    }
    assert event["userIdentity"]["arn"] == f"arn:aws:iam::{account}:root"


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (200, {}, b"<Code>x</Code>", ""),
        (404, {}, b"", "404"),
        (403, {}, b"<Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
        (400, {}, b'{"__type": "com.amazonaws#ValidationException"}', "ValidationException"),
        (400, {"x-amzn-errortype": "ConflictException:http://x/"}, b"{}", "ConflictException"),
        (500, {}, b"[1]", "500"),
    ],
)
def test_an_error_code_is_found_in_every_protocol(
    status: int, headers: dict[str, str], body: bytes, code: str
) -> None:
    assert error_code(status, headers, body) == code
