"""``engine: glue`` in a real Airflow: one night of the example by a Glue job, byte for byte the worker's night."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cleanrooms.config import load_source
from cleanrooms.sources.prepare import prepare
from cleanrooms.sources.secrets import SecretsManager
from examples import brand, resources
from examples.party import Party
from examples.policies import policy
from tests.real_airflow import serving
from tools import airflow, pipeline, results
from tools.stack import REGION, Stack
from tools.week import WEEK

pytestmark = pytest.mark.airflow
SOURCE, DAY, JOBS, ROLE = "campaign_exposures", WEEK.monday, "brand-jobs", "brand-glue-job"


@dataclass
class GlueStack(Stack):
    """The usual stack, on an account that also has what ``infra/glue.yaml`` makes."""

    def _set_up_example(self, days: Any) -> dict[str, str]:
        account = super()._set_up_example(days)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", self.endpoint)
            _glue_account(Party.with_key("brand", brand.ACCOUNT, REGION, brand.ACCOUNT, "test"))
        return account


def _glue_account(party: Party) -> None:
    data_key = resources.ensure_key(party, brand.DATA_KEY)
    quarantine_key = resources.ensure_key(party, brand.QUARANTINE_KEY)
    resources.ensure_bucket(party, JOBS, data_key)
    names = {
        "InboundBucket": brand.INBOUND,
        "LakeBucket": brand.LAKE,
        "QuarantineBucket": brand.QUARANTINE,
        "JobsBucket": JOBS,
        "DataKeyArn": data_key,
        "QuarantineKeyArn": quarantine_key,
        "IdentitySecret": brand.IDENTITY_SECRET,
        "PGPSecret": brand.PGP_SECRET,
        "JobRoleName": ROLE,
    }
    trust, rights = policy("glue-job-trust", party), policy("glue-job", party, **names)
    resources.ensure_role(party, ROLE, trust, rights)
    runner = policy("airflow-glue", party, **names)
    party.client("iam").put_user_policy(UserName=brand.AIRFLOW_USER, PolicyName="glue", PolicyDocument=runner)


@pytest.fixture(scope="module")
def include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's files, with the export prepared by Glue."""
    folder = tmp_path_factory.mktemp("include") / "include"
    shutil.copytree(airflow.ROOT / "include", folder)
    path = folder / "sources" / f"{SOURCE}.yaml"
    written = yaml.safe_load(path.read_text())
    written |= {"engine": "glue", "glue": {"role": ROLE, "bucket": JOBS}}
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def stack(include: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GlueStack]:
    own = {"CLEANROOMS_INCLUDE_DIR": str(include), "CLEANROOMS_RETRY_SECONDS": "2"}
    found = GlueStack(tmp_path_factory.mktemp("glue") / "stack", extra_env=own)
    with serving(found, DAY, {f"ingest__{SOURCE}"}) as stack:
        yield stack


def test_a_night_by_glue_is_the_workers_night(stack: GlueStack, include: Path) -> None:
    pipeline.backfill(stack, [f"ingest__{SOURCE}"], f"{DAY}T00:00:00Z", f"{DAY}T23:00:00Z")
    s3 = stack.client("s3", results.BRAND)
    key = f"{SOURCE}/dt={DAY}/part-00000.parquet"
    by_glue = s3.get_object(Bucket=brand.LAKE, Key=key)["Body"].read()
    source = load_source(include / "sources" / f"{SOURCE}.yaml")
    secrets = SecretsManager(stack.client("secretsmanager", results.BRAND))
    report = prepare(source, DAY, s3=s3, secrets=secrets)
    assert s3.get_object(Bucket=brand.LAKE, Key=key)["Body"].read() == by_glue
    assert report.rows_out > 100
    left = {item["Key"] for item in s3.list_objects_v2(Bucket=JOBS)["Contents"]}
    assert {name.rsplit("/", 1)[-1] for name in left} == {
        "cleanrooms.zip",
        "job.py",
        "spec.json",
        "outcome.json",
    }
    outcome = next(name for name in left if name.endswith("outcome.json"))
    told = json.loads(s3.get_object(Bucket=JOBS, Key=outcome)["Body"].read())["report"]
    # The files are archived by now, and carry another place; everything else is the same.
    again = report.to_dict()
    assert {**told, "files": []} == {**json.loads(json.dumps(again)), "files": []}
    (run,) = stack.client("glue", results.BRAND).get_job_runs(JobName=f"cleanrooms-prepare-{SOURCE}")[
        "JobRuns"
    ]
    assert run["JobRunState"] == "SUCCEEDED"
    assert set(run["Arguments"]) == {"--spec", "--region"}
