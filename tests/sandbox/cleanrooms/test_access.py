"""IAM is real: callers, service roles and writers without permission each fail in the documented way."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, REGION
from tests.sandbox.cleanrooms.lab import Lab, any_query, rows, user

COUNT = "SELECT COUNT(*) AS n FROM people p"


def everything(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def people(lab: Lab, role: str | None = None) -> Lab:
    lab.brand.csv_table("people", ["k"], [("1",), ("2",)])
    lab.brand.share(lab.membership, "people", ["k"], "CUSTOM", any_query(), role=role)
    return lab


def acting_as(lab: Lab, *statements: Mapping[str, Any]) -> Any:
    credentials = user(lab.aws, f"analyst-{uuid.uuid4().hex[:8]}", *statements)
    return lab.aws.client("cleanrooms", credentials=credentials)


@pytest.mark.parametrize(
    "without", ["glue:GetTable", "s3:GetObject", "s3:ListBucket"], ids=lambda action: action.replace(":", "-")
)
def test_a_service_role_that_cannot_read_fails_the_query(lab: Lab, without: str) -> None:
    error = people(lab, lab.brand.service_role(without)).fails(COUNT)
    assert error["code"] == "RESOURCE_ACCESS_DENIED"
    assert error["message"].startswith("One or more tables referenced by the query is not accessible")
    assert without in error["message"]


def test_a_service_role_that_does_not_trust_clean_rooms_fails_the_query(lab: Lab) -> None:
    error = people(lab, lab.brand.service_role(trust="glue.amazonaws.com")).fails(COUNT)
    assert error["code"] == "RESOURCE_ACCESS_DENIED"
    assert "trust policy" in error["message"]


def test_a_role_that_does_not_exist_fails_the_query(lab: Lab) -> None:
    error = people(lab, f"arn:aws:iam::{ACCOUNT}:role/nobody").fails(COUNT)
    assert error["code"] == "RESOURCE_ACCESS_DENIED"


def test_who_runs_a_query_has_to_be_allowed_to_write_its_result(lab: Lab) -> None:
    people(lab)
    analyst = acting_as(lab, everything("cleanrooms:*"))
    shown = lab.wait(lab.start(COUNT, client=analyst))
    assert (shown["status"], shown["error"]["code"]) == ("FAILED", "RESOURCE_ACCESS_DENIED")


def test_permissions_on_one_membership_are_enough_to_run_a_query(lab: Lab) -> None:
    people(lab)
    membership = f"arn:aws:cleanrooms:{REGION}:{ACCOUNT}:membership/{lab.membership}"
    result = f"arn:aws:s3:::{lab.brand.results}/weekly/*"
    analyst = acting_as(
        lab,
        {"Effect": "Allow", "Action": "cleanrooms:*ProtectedQuery", "Resource": membership},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": result},
    )
    shown = lab.wait(lab.start(COUNT, client=analyst))
    assert shown["status"] == "SUCCESS", shown.get("error")
    assert rows(lab.result(shown)) == {(2,)}


def test_without_permission_to_start_queries_nothing_starts(lab: Lab) -> None:
    people(lab)
    analyst = acting_as(lab, everything("cleanrooms:Get*"))
    with pytest.raises(ClientError, match="StartProtectedQuery") as refused:
        lab.start(COUNT, client=analyst)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_configuring_a_table_needs_permission_on_the_catalog(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k"], [("1",)])
    lab.brand.clean_rooms = acting_as(lab, everything("cleanrooms:*"))
    with pytest.raises(ClientError, match="glue:GetTable"):
        lab.brand.configure("people", ["k"])


def test_handing_over_a_role_needs_permission_to_pass_it(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k"], [("1",)])
    configured = lab.brand.configure("people", ["k"])
    lab.brand.clean_rooms = acting_as(lab, everything("cleanrooms:*"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        lab.brand.associate(lab.membership, configured, "people")


def guarded_role(lab: Lab, membership: str) -> str:
    """A role with the trust policy that AWS documents against the confused deputy, for one membership."""
    principal = {"Service": "cleanrooms.amazonaws.com"}
    external = {"sts:ExternalId": f"arn:aws:*:{REGION}:*:dbuser:*/{membership}*"}
    source = {"aws:SourceArn": [f"arn:aws:cleanrooms:{REGION}:{ACCOUNT}:membership/{membership}"]}
    conditions: list[dict[str, Any]] = [{"StringLike": external}, {"ForAnyValue:ArnEquals": source}]
    role = lab.brand.service_role()
    lab.brand.client("iam").update_assume_role_policy(
        RoleName=role.rsplit("/", 1)[-1],
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": principal,
                        "Action": "sts:AssumeRole",
                        "Condition": condition,
                    }
                    for condition in conditions
                ],
            }
        ),
    )
    return role


def test_the_documented_trust_policy_lets_the_runners_queries_read(lab: Lab) -> None:
    people(lab, guarded_role(lab, lab.membership))
    assert rows(lab.run(COUNT)) == {(2,)}


def test_a_trust_policy_for_another_membership_does_not(lab: Lab) -> None:
    error = people(lab, guarded_role(lab, lab.retailer_membership)).fails(COUNT)
    assert error["code"] == "RESOURCE_ACCESS_DENIED"
