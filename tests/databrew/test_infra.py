"""The CloudFormation template of the engine carries the documented policies and deploys."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sandbox.testing import Sandbox
from tests.examples.test_infra import FOLDER, TEMPLATES, documented, template

USES = re.compile(r"\$\{([A-Za-z]+)\}")


def _with_key(document: Any) -> Any:
    """The template names the key by its resource, policies by a placeholder."""
    return json.loads(json.dumps(document).replace('"${StagingKeyArn}"', '{"GetAtt": "StagingKey.Arn"}'))


def test_the_template_has_exactly_the_documented_policies() -> None:
    resources = template("databrew")["Resources"]
    role = resources["DataBrewRole"]["Properties"]
    assert role["AssumeRolePolicyDocument"] == documented("databrew-job-trust")
    assert role["Policies"][0]["PolicyDocument"] == _with_key(documented("databrew-job"))
    airflow = resources["AirflowDataBrewPolicy"]["Properties"]["PolicyDocument"]
    assert airflow == _with_key(documented("airflow-databrew"))
    tls = resources["StagingBucketPolicy"]["Properties"]["PolicyDocument"]
    assert tls == documented("tls-only", Bucket="${StagingBucket}")


@pytest.mark.parametrize("name", ["databrew-job", "airflow-databrew", "databrew-job-trust"])
def test_every_placeholder_is_a_parameter_or_a_resource_of_the_template(name: str) -> None:
    known = template("databrew")
    used = set(USES.findall((FOLDER / f"{name}.json").read_text()))
    assert used <= {*known["Parameters"], *known["Resources"], "StagingKeyArn"}


def test_staged_rows_expire_in_a_private_encrypted_bucket() -> None:
    bucket = template("databrew")["Resources"]["StagingBucket"]["Properties"]
    assert {"Id": "expire", "Status": "Enabled", "ExpirationInDays": 1} in bucket["LifecycleConfiguration"][
        "Rules"
    ]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_the_template_deploys(aws: Sandbox) -> None:
    aws.role("some-airflow")
    cloudformation = aws.client("cloudformation")
    given = {"AirflowRoleName": "some-airflow", "HashingSecret": "brand/hashing"}
    cloudformation.create_stack(
        StackName="databrew",
        TemplateBody=(TEMPLATES / "databrew.yaml").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="databrew", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    (stack,) = cloudformation.describe_stacks(StackName="databrew")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    attached = aws.client("iam").list_attached_role_policies(RoleName="some-airflow")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [outputs["AirflowDataBrewPolicyArn"]]
    simulated = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=outputs["DataBrewRoleArn"],
        ActionNames=["s3:GetObject"],
        ResourceArns=["arn:aws:s3:::brand-staging/databrew/crm/x", "arn:aws:s3:::brand-staging/other"],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in simulated] == ["allowed", "implicitDeny"]
