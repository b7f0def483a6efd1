"""The template for sources with ``engine: glue`` carries the documented policies and deploys."""

from __future__ import annotations

from examples.policies import FOLDER
from sandbox.testing import Sandbox
from tests.examples.test_infra import USES, _deploy, documented, template

ACCOUNT = "777788889999"


def test_the_job_role_and_the_runners_policy_are_the_documented_ones() -> None:
    resources = template("glue")["Resources"]
    role = resources["JobRole"]["Properties"]
    assert role["AssumeRolePolicyDocument"] == documented("glue-job-trust")
    assert role["Policies"][0]["PolicyDocument"] == documented("glue-job")
    assert resources["AirflowGluePolicy"]["Properties"]["PolicyDocument"] == documented("airflow-glue")
    known = {*template("glue")["Parameters"], *resources}
    for name in ("glue-job", "airflow-glue"):
        assert set(USES.findall((FOLDER / f"{name}.json").read_text())) <= known


def test_what_runs_stage_is_encrypted_private_and_expires_and_the_program_stays() -> None:
    resources = template("glue")["Resources"]
    bucket = resources["JobsBucket"]["Properties"]
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    expiring = [r["Prefix"] for r in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in r]
    assert expiring == ["cleanrooms/runs/", "cleanrooms/temporary/"]
    tls = resources["JobsBucketPolicy"]["Properties"]["PolicyDocument"]
    assert tls == documented("tls-only", Bucket="${JobsBucket}")


def test_the_template_deploys_and_the_job_may_read_staged_bad_rows_but_no_quarantine(aws: Sandbox) -> None:
    values = {"InboundBucket": "i", "LakeBucket": "l", "QuarantineBucket": "q"}
    outputs = _deploy(
        aws.client("cloudformation", account=ACCOUNT),
        "glue",
        **values,
        JobsBucketName="other-brand-jobs",
        DataKeyArn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/a",
        QuarantineKeyArn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/b",
        IdentitySecret="identity",
        PGPSecret="pgp",
    )
    simulated = aws.client("iam", account=ACCOUNT).simulate_principal_policy(
        PolicySourceArn=outputs["JobRoleArn"],
        ActionNames=["s3:GetObject"],
        ResourceArns=["arn:aws:s3:::q/staging/x", "arn:aws:s3:::q/quarantine/x"],
    )
    said = [one["EvalDecision"] for one in simulated["EvaluationResults"]]
    assert said == ["allowed", "implicitDeny"]
