"""Faults on demand, as boto3 meets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from sandbox.testing import Sandbox

Names = Callable[[str], str]


@pytest.fixture
def bucket(aws: Sandbox, fresh: Names) -> str:
    name = fresh("faults")
    aws.client("s3").create_bucket(Bucket=name)
    return name


def exists(aws: Sandbox, bucket: str, key: str) -> bool:
    listed = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)
    return bool(listed["KeyCount"])


@pytest.mark.parametrize(
    ("service", "call", "match"),
    [
        ("s3", lambda client: client.list_buckets(), "ListBuckets$"),
        ("cleanrooms", lambda client: client.list_memberships(), "^cleanrooms GET /memberships ListM"),
        ("glue", lambda client: client.get_databases(), "GetDatabases$"),
        ("iam", lambda client: client.list_roles(), "^iam POST / ListRoles$"),
        ("sns", lambda client: client.list_topics(), "ListTopics$"),
    ],
)
def test_an_error_is_written_in_the_services_protocol(
    aws: Sandbox, service: str, call: Callable[[Any], Any], match: str
) -> None:
    aws.faults({"match": match, "status": 429, "code": "ThrottlingException", "message": "slower"})
    client = aws.client(service)
    with pytest.raises(ClientError) as found:
        call(client)
    assert found.value.response["Error"]["Code"] == "ThrottlingException"
    assert found.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    call(client)


def test_a_retrying_client_gets_over_it(aws: Sandbox, bucket: str) -> None:
    aws.faults({"match": f"PUT /{bucket}/", "status": 503, "code": "SlowDown", "times": 2})
    client = aws.client("s3", retries={"mode": "standard", "total_max_attempts": 4})
    reply = client.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert reply["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_delay_alone_changes_nothing_else(aws: Sandbox, bucket: str) -> None:
    aws.faults({"match": "PutObject$", "delay": 0.4})
    start = time.monotonic()
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    assert time.monotonic() - start >= 0.4


def test_cut_before_loses_the_request(aws: Sandbox, bucket: str) -> None:
    aws.faults({"match": "PutObject$", "cut_before": True})
    with pytest.raises(ConnectionClosedError):
        aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    assert not exists(aws, bucket, "a")


def test_cut_after_response_loses_the_reply_only(aws: Sandbox, bucket: str) -> None:
    aws.faults({"match": "PutObject$", "cut_after_response": True})
    with pytest.raises(ConnectionClosedError):
        aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    assert exists(aws, bucket, "a")


def test_an_upload_cut_in_the_middle_leaves_no_torn_object(aws: Sandbox, bucket: str) -> None:
    aws.faults({"match": "PutObject$", "cut_after": 1_000_000})
    with pytest.raises(ConnectionClosedError):
        aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x" * 4_000_000)
    assert not exists(aws, bucket, "a")


def test_a_fault_ends_after_its_times_and_the_next_one_follows(aws: Sandbox) -> None:
    aws.faults(
        {"match": "ListTopics", "status": 500, "code": "InternalError"},
        {"match": "ListTopics", "status": 503, "code": "ServiceUnavailable"},
    )
    codes = []
    for _ in range(3):
        try:
            aws.client("sns").list_topics()
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes == ["InternalError", "ServiceUnavailable", ""]


def test_the_sandboxs_own_calls_are_spared_unless_named(aws: Sandbox) -> None:
    shown = aws.faults({"match": ".", "status": 500})
    assert shown[0]["internal"] is False


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"match": "x", "statuss": 500}, "unknown field: statuss"),
        ({"status": 500}, "match: a regular expression is needed"),
        ({"match": "(", "status": 500}, "match: missing"),
        ({"match": "x"}, "name an effect"),
        ({"match": "x", "status": "500"}, "status: a number is needed"),
        ({"match": "x", "status": 500, "cut_before": True}, "choose one of status, cut_before"),
    ],
)
def test_a_fault_that_cannot_be_understood_is_refused(
    aws: Sandbox, fault: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        aws.faults(fault)
