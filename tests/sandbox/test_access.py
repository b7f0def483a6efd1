"""Who may do what: signatures, IAM with resources, the simulator, trust."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from sandbox import access
from sandbox.clients import use_endpoint
from sandbox.testing import ACCOUNT, REGION, Sandbox
from tests.sandbox.tiny import CREATOR, MEMBERSHIP

Names = Callable[[str], str]
OTHER = "22222222-2222-4222-8222-222222222222"
ROOM = f"arn:aws:cleanrooms:{REGION}:{ACCOUNT}"


def allow(action: str, resource: str, **condition: object) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def test_a_wrong_secret_is_refused(aws: Sandbox, fresh: Names) -> None:
    session = aws.assume(aws.role(fresh("role"), allow("cleanrooms:*", "*")))
    forged = {**session, "SecretAccessKey": "wrong"}
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        aws.client("cleanrooms", credentials=forged).list_memberships()
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        aws.client("s3", credentials=forged).list_buckets()


def test_an_unknown_key_is_refused(aws: Sandbox) -> None:
    unknown = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        aws.client("cleanrooms", credentials=unknown).list_memberships()


def test_a_role_is_refused_what_its_policy_does_not_allow(aws: Sandbox, fresh: Names) -> None:
    session = aws.assume(aws.role(fresh("role"), allow("cleanrooms:ListMemberships", "*")))
    client = aws.client("cleanrooms", credentials=session)
    assert client.list_memberships()["membershipSummaries"] == []
    with pytest.raises(
        client.exceptions.AccessDeniedException, match="not authorized to perform: cleanrooms:Get"
    ):
        client.get_membership(membershipIdentifier=MEMBERSHIP)


def test_a_policy_can_name_one_membership(aws: Sandbox, fresh: Names) -> None:
    role = aws.role(fresh("role"), allow("cleanrooms:*", f"{ROOM}:membership/{MEMBERSHIP}"))
    client = aws.client("cleanrooms", credentials=aws.assume(role))
    query = {"type": "SQL", "sqlParameters": {"queryString": "select 1"}}
    with pytest.raises(client.exceptions.ConflictException):
        client.start_protected_query(membershipIdentifier=MEMBERSHIP, **query)
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.start_protected_query(membershipIdentifier=OTHER, **query)


def test_a_policy_names_a_collaboration_by_its_creators_account(aws: Sandbox, fresh: Names) -> None:
    resource = f"arn:aws:cleanrooms:{REGION}:{CREATOR}:collaboration/{OTHER}"
    client = aws.client(
        "cleanrooms", credentials=aws.assume(aws.role(fresh("role"), allow("cleanrooms:*", resource)))
    )
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_collaboration(collaborationIdentifier=OTHER)


def test_tags_are_authorised_on_the_arn_in_the_path(aws: Sandbox, fresh: Names) -> None:
    mine, other = f"{ROOM}:configuredtable/{OTHER}", f"{ROOM}:configuredtable/{MEMBERSHIP}"
    client = aws.client(
        "cleanrooms", credentials=aws.assume(aws.role(fresh("role"), allow("cleanrooms:ListTags*", mine)))
    )
    assert client.list_tags_for_resource(resourceArn=mine)["tags"]["resource"] == mine
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.list_tags_for_resource(resourceArn=other)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_service_learns_the_region_and_the_role_behind_a_session(
    aws: Sandbox, fresh: Names, region: str
) -> None:
    role = aws.role(fresh("role"), allow("cleanrooms:*", "*"))
    client = aws.client("cleanrooms", credentials=aws.assume(role), region=region)
    arn = f"arn:aws:cleanrooms:{region}:{ACCOUNT}:membership/{MEMBERSHIP}"
    tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert (tags["caller"], tags["region"]) == (role, region)


def test_a_service_learns_the_user_of_an_access_key(aws: Sandbox, fresh: Names) -> None:
    iam, name = aws.client("iam"), fresh("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [allow("cleanrooms:*", "*")]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = aws.client("cleanrooms", credentials=key)
    tags = client.list_tags_for_resource(resourceArn=f"{ROOM}:membership/{MEMBERSHIP}")["tags"]
    assert tags["caller"] == arn


class TestAllowed:
    @pytest.fixture(autouse=True)
    def _endpoint(self, aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "")
        use_endpoint(aws.endpoint)

    def test_root_is_always_allowed(self) -> None:
        assert access.allowed(f"arn:aws:iam::{ACCOUNT}:root", "s3:GetObject", "arn:aws:s3:::a/b", REGION)

    def test_a_principal_that_does_not_exist_never_is(self) -> None:
        assert not access.allowed(f"arn:aws:iam::{ACCOUNT}:role/nobody", "s3:GetObject", "*", REGION)

    def test_the_resource_decides(self, aws: Sandbox, fresh: Names) -> None:
        role = aws.role(fresh("role"), allow("s3:GetObject", "arn:aws:s3:::lake/a/*"))
        asked = [f"arn:aws:s3:::lake/a/{number}" for number in range(60)] + ["arn:aws:s3:::lake/b/1"]
        assert access.refused(role, "s3:GetObject", asked, REGION) == ["arn:aws:s3:::lake/b/1"]

    def test_a_session_counts_as_its_role(self, aws: Sandbox, fresh: Names) -> None:
        name = fresh("role")
        aws.role(name, allow("s3:GetObject", "*"))
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/task"
        assert access.allowed(session, "s3:GetObject", "arn:aws:s3:::lake/a", REGION)

    def test_conditions_see_the_context(self, aws: Sandbox, fresh: Names) -> None:
        called_via = {"aws:CalledVia": "cleanrooms.amazonaws.com"}
        role = aws.role(
            fresh("role"),
            allow("s3:PutObject", "*", **{"ForAnyValue:StringEquals": called_via}),
            allow("s3:ListBucket", "*", StringLike={"s3:prefix": "out/*"}),
        )
        put = (role, "s3:PutObject", "arn:aws:s3:::results/x", REGION)
        assert not access.allowed(*put)
        assert access.allowed(*put, context={"aws:CalledVia": ["cleanrooms.amazonaws.com"]})
        listing = (role, "s3:ListBucket", "arn:aws:s3:::results", REGION)
        assert not access.allowed(*listing, context={"s3:prefix": "in/"})
        assert access.allowed(*listing, context={"s3:prefix": "out/1/"})

    def test_a_permissions_boundary_limits(self, aws: Sandbox, fresh: Names) -> None:
        iam, name = aws.client("iam"), fresh("role")
        role = aws.role(name, allow("s3:*", "*"))
        document = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", "*")]}
        boundary = iam.create_policy(PolicyName=fresh("limit"), PolicyDocument=json.dumps(document))
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary["Policy"]["Arn"])
        assert access.allowed(role, "s3:GetObject", "arn:aws:s3:::a/b", REGION)
        assert not access.allowed(role, "s3:PutObject", "arn:aws:s3:::a/b", REGION)


class TestTrust:
    @pytest.fixture(autouse=True)
    def _endpoint(self, aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "")
        use_endpoint(aws.endpoint)

    def test_only_the_service_that_a_role_names_may_assume_it(self, aws: Sandbox, fresh: Names) -> None:
        role = aws.role(fresh("role"), trust={"Service": ["cleanrooms.amazonaws.com"]})
        assert access.service_may_assume(role, "cleanrooms.amazonaws.com", REGION)
        assert not access.service_may_assume(role, "glue.amazonaws.com", REGION)

    def test_a_role_that_does_not_exist_is_assumed_by_nobody(self) -> None:
        assert not access.service_may_assume(
            f"arn:aws:iam::{ACCOUNT}:role/none", "glue.amazonaws.com", REGION
        )

    @pytest.mark.parametrize(
        ("source", "assumable"),
        [
            ({"aws:SourceArn": f"{ROOM}:membership/{MEMBERSHIP}", "aws:SourceAccount": ACCOUNT}, True),
            ({"aws:SourceArn": f"{ROOM}:membership/{OTHER}", "aws:SourceAccount": ACCOUNT}, False),
            ({}, False),
        ],
    )
    def test_source_conditions_hold(
        self, aws: Sandbox, fresh: Names, source: dict[str, str], assumable: bool
    ) -> None:
        iam, name = aws.client("iam"), fresh("role")
        role = aws.role(name)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "cleanrooms.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": f"{ROOM}:membership/{MEMBERSHIP[:8]}*"},
            },
        }
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
        service = "cleanrooms.amazonaws.com"
        assert access.service_may_assume(role, service, REGION, context=source) is assumable


def test_an_ended_session_is_refused_as_expired_and_a_new_one_is_not(aws: Sandbox, fresh: Names) -> None:
    role = aws.role(fresh("role"), allow("cleanrooms:ListMemberships", "*"))
    client = aws.client("cleanrooms", credentials=aws.assume(role))
    assert client.list_memberships()["membershipSummaries"] == []
    assert aws.end_sessions() >= 1
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        client.list_memberships()
    again = aws.client("cleanrooms", credentials=aws.assume(role))
    assert again.list_memberships()["membershipSummaries"] == []
