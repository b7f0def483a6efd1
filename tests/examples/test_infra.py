"""The CloudFormation templates carry the policies of the demo and deploy."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from examples import brand
from examples.policies import FOLDER
from sandbox.testing import Sandbox

TEMPLATES = FOLDER.parent
USES = re.compile(r"\$\{([A-Za-z]+)\}")
OWN_MEMBERSHIP = (
    "arn:${AWS::Partition}:cleanrooms:${AWS::Region}:${AWS::AccountId}:membership/${MembershipId}"
)


class Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms; ``!Sub text`` is its text."""


def _tag(loader: Template, suffix: str, node: yaml.Node) -> Any:
    value = (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node)
    )
    return value if suffix == "Sub" else {suffix: value}


Template.add_multi_constructor("!", _tag)


def template(name: str) -> dict[str, Any]:
    return yaml.load((TEMPLATES / f"{name}.yaml").read_text(), Template)


def documented(name: str, **renamed: str) -> Any:
    text = (FOLDER / f"{name}.json").read_text()
    for old, new in renamed.items():
        text = text.replace(f"${{{old}}}", new)
    return json.loads(text)


def test_roles_have_exactly_the_documented_policies() -> None:
    resources = template("roles")["Resources"]
    crawler, service = resources["CrawlerRole"]["Properties"], resources["ServiceRole"]["Properties"]
    assert crawler["AssumeRolePolicyDocument"] == documented("crawler-trust")
    assert crawler["Policies"][0]["PolicyDocument"] == documented("crawler")
    assert service["AssumeRolePolicyDocument"] == documented(
        "clean-rooms-trust", RunnerMembershipId="${MembershipId}", RunnerMembershipArn=OWN_MEMBERSHIP
    )
    assert service["Policies"][0]["PolicyDocument"] == documented("clean-rooms")
    for name in ("airflow", "lifecycle", "analyses"):
        policy = resources[f"{name.title()}Policy"]["Properties"]["PolicyDocument"]
        assert policy == documented(name)
    assert resources["DataBrewPolicy"]["Properties"]["PolicyDocument"] == documented("databrew")


def test_every_placeholder_of_a_policy_is_a_parameter() -> None:
    parameters = set(template("roles")["Parameters"])
    for name in ("airflow", "crawler", "clean-rooms", "lifecycle", "analyses", "databrew"):
        assert set(USES.findall((FOLDER / f"{name}.json").read_text())) <= parameters


def test_every_bucket_is_encrypted_private_and_tls_only() -> None:
    resources = template("foundation")["Resources"]
    buckets = {
        name: entry["Properties"] for name, entry in resources.items() if entry["Type"] == "AWS::S3::Bucket"
    }
    assert len(buckets) == len(brand.BUCKETS)
    for name, properties in buckets.items():
        rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        policy = resources[f"{name}Policy"]["Properties"]["PolicyDocument"]
        assert policy == documented("tls-only", Bucket=f"${{{name}}}")


def test_quarantine_and_raw_results_expire() -> None:
    resources = template("foundation")["Resources"]
    expiring = {
        name
        for name, entry in resources.items()
        if entry["Type"] == "AWS::S3::Bucket"
        and any("ExpirationInDays" in rule for rule in entry["Properties"]["LifecycleConfiguration"]["Rules"])
    }
    assert expiring == {"QuarantineBucket", "ResultsBucket"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_policy_fits_iams_size_limits(path) -> None:
    size = len(json.dumps(json.loads(path.read_text()), separators=(",", ":")))
    assert size <= (2048 if "trust" in path.stem else 6144)


def test_both_templates_deploy(aws: Sandbox) -> None:
    cloudformation = aws.client("cloudformation", account="777788889999")
    parameters = template("foundation")["Parameters"]
    # Names of buckets are the world's: the example has taken the default ones.
    buckets = {name: f"other-{entry['Default']}" for name, entry in parameters.items() if "Bucket" in name}
    foundation = _deploy(cloudformation, "foundation", **buckets)
    names = {name: entry["Default"] for name, entry in parameters.items()}
    outputs = _deploy(
        cloudformation,
        "roles",
        **{name.removesuffix("Name"): value for name, value in buckets.items()},
        **{
            name: names[name]
            for name in ("IdentitySecret", "PGPSecret", "Database", "BIDatabase", "TopicName")
        },
        DataKeyArn=foundation["DataKeyArn"],
        QuarantineKeyArn=foundation["QuarantineKeyArn"],
        ExportPrefix="campaign_exposures",
        MembershipId="11111111-1111-1111-1111-111111111111",
        PartnerMembershipArn="arn:aws:cleanrooms:us-east-1:444455556666:membership/22222222-2222-2222-2222-222222222222",
        AirflowPrincipalArn="arn:aws:iam::777788889999:root",
    )
    assert outputs["ServiceRoleArn"] == "arn:aws:iam::777788889999:role/brand-clean-rooms"
    simulated = aws.client("iam", account="777788889999").simulate_principal_policy(
        PolicySourceArn=outputs["AirflowRoleArn"],
        ActionNames=["s3:PutObject"],
        ResourceArns=["arn:aws:s3:::other-brand-lake/crm_households/x"],
    )
    assert simulated["EvaluationResults"][0]["EvalDecision"] == "allowed"


def _deploy(cloudformation: Any, name: str, **parameters: str) -> dict[str, str]:
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(TEMPLATES / f"{name}.yaml").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
