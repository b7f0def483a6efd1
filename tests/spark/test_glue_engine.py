"""``engine: glue``: the task, the job and its role against the local AWS, which runs the job's own script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cleanrooms.errors import QuarantineError
from cleanrooms.tasks import glue as tasks_glue
from cleanrooms.tasks.glue import SourceGlueOperator
from examples.policies import FOLDER, _fill
from sandbox.testing import ACCOUNT, Sandbox
from tests.aws.conftest import Store, TaskInstance
from tests.aws.test_on_sandbox import connect
from tests.sources.kit import DAY, INBOUND, LAKE, QUARANTINE, Shop, good_rows, make_source, packed
from tests.spark.conftest import JOBS
from tests.waiting import until

NAMES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": ACCOUNT,
    "InboundBucket": INBOUND,
    "LakeBucket": LAKE,
    "QuarantineBucket": QUARANTINE,
    "JobsBucket": JOBS,
    "JobRoleName": "glue-job",
    "IdentitySecret": "hmac",
    "PGPSecret": "pgp",
}
VERSIONS = ("5.1", "6.0")


def statements(name: str, *sids: str, **more: str) -> list[dict[str, Any]]:
    """Statements of a documented policy, all or some."""
    document = json.loads((FOLDER / f"{name}.json").read_text())
    chosen = [one for one in document["Statement"] if not sids or one.get("Sid") in sids]
    filled: list[dict[str, Any]] = _fill(chosen, {**NAMES, **more})
    return filled


@pytest.fixture(scope="session")
def account(aws: Sandbox, opened: Shop) -> dict[str, str]:
    """The job's role and Airflow's user, with the policies that the documentation gives them."""
    key = opened.kms.describe_key(KeyId="alias/quarantine")["KeyMetadata"]["Arn"]
    rights = statements("glue-job", DataKeyArn=key, QuarantineKeyArn=key)
    aws.role("glue-job", *rights, trust={"Service": "glue.amazonaws.com"})
    iam = aws.client("iam")
    iam.create_user(UserName="airflow")
    other = {"ResultsBucket": "r", "BIBucket": "b", "ReportsBucket": "p"}
    allowed = [
        *statements("airflow-glue"),
        *statements("airflow", "WriteQuarantineNeverReadIt", "ListBuckets", **other),
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="airflow", PolicyName="airflow", PolicyDocument=document)
    made: dict[str, str] = iam.create_access_key(UserName="airflow")["AccessKey"]
    return made


class Task:
    """The task of one logical run, over its tries."""

    def __init__(self, source: Any, monkeypatch: pytest.MonkeyPatch, run_id: str = "scheduled__1") -> None:
        monkeypatch.setattr(tasks_glue, "read_source", lambda name: source)
        self.source, self.store = source, Store()
        self.context: Any = {
            "ti": TaskInstance(try_number=1, max_tries=3, pushed={}),
            "task_state_store": self.store,
            "run_id": run_id,
            "params": {"day": DAY.isoformat()},
            "dag_run": SimpleNamespace(run_id=run_id, partition_key=DAY.isoformat(), conf={}),
        }

    def operator(self, **changes: Any) -> SourceGlueOperator:
        """The operator of a new try."""
        arguments = {"deferrable": False, "waiter_delay": 1, "waiter_max_attempts": 300, **changes}
        return SourceGlueOperator(
            task_id="prepare", source=self.source.name, aws_conn_id="clean_rooms", **arguments
        )

    def run(self) -> dict[str, Any]:
        return self.operator().execute(self.context)


@pytest.fixture
def glue(aws: Sandbox, account: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    connect(monkeypatch, aws.endpoint, account["AccessKeyId"], account["SecretAccessKey"])
    return aws.client("glue")


def make(folder: Path, version: str = "5.1", **fields: Any) -> Any:
    engine = {"role": "glue-job", "bucket": JOBS, "version": version}
    return make_source(folder / f"include-{version}", engine="glue", glue=engine, **fields)


def runs(glue: Any) -> list[dict[str, Any]]:
    found = glue.get_job_runs(JobName="cleanrooms-prepare-exposures")["JobRuns"]
    return list(found)


def until_state(glue: Any, *states: str) -> dict[str, Any]:
    return until(lambda: runs(glue)[0], lambda run: run["JobRunState"] in states)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_deferred_task_publishes_what_the_worker_publishes(
    version: str, shop: Shop, glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import TaskDeferred
    from airflow.sdk.module_loading import import_string

    source = make(tmp_path, version)
    shop.send("a.csv.gz.pgp", packed([*good_rows(200), "x,bad@example.com,,1.00,"]))
    worker = shop.prepare(source).to_dict()
    expected = {key: shop.get(bucket, key) for bucket in (LAKE, QUARANTINE) for key in shop.keys(bucket)}
    for bucket in (LAKE, QUARANTINE):
        for key in shop.keys(bucket):
            shop.s3.delete_object(Bucket=bucket, Key=key)
    task = Task(source, monkeypatch, f"scheduled__{version}")
    with pytest.raises(TaskDeferred) as deferral:
        task.operator(deferrable=True).execute(task.context)
    path, arguments = deferral.value.trigger.serialize()
    event = await anext(import_string(path)(**arguments).run())
    report = task.operator().resume_execution("execute_complete", {"event": event.payload}, task.context)
    assert report == json.loads(json.dumps(worker))
    found = {key: shop.get(bucket, key) for bucket in (LAKE, QUARANTINE) for key in shop.keys(bucket)}
    assert found == expected
    assert not task.store
    assert {run["JobRunState"] for run in runs(glue)} == {"SUCCEEDED"}
    folder = {key.rsplit("/", 1)[-1] for key in shop.keys(JOBS)}
    assert folder == {"cleanrooms.zip", "job.py", "spec.json", "outcome.json"}


def test_an_error_of_the_job_is_the_tasks_error_and_the_program_is_uploaded_once(
    shop: Shop, glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send("a.csv.gz.pgp", packed([*good_rows(1), "x,bad@example.com,,1.00,"]))
    task = Task(make(tmp_path), monkeypatch, "scheduled__bad")
    with pytest.raises(QuarantineError, match=r"1 of 2 rows are bad .* id:not_bigint 1"):
        task.run()
    assert not task.store
    assert shop.keys(LAKE) == []
    assert len([key for key in shop.keys(JOBS) if key.endswith("cleanrooms.zip")]) == 1


def test_a_retry_goes_on_with_the_run_and_a_killed_task_stops_it(
    shop: Shop, glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send("a.csv.gz.pgp", packed(good_rows(5)))
    task, before = Task(make(tmp_path), monkeypatch, "scheduled__killed"), len(runs(glue))
    started = task.operator(wait_for_completion=True, waiter_max_attempts=1, cancel_on_kill=False)
    with pytest.raises(Exception, match="had not ended when its waiting attempts were used up"):
        started.execute(task.context)
    run_id = started.run_id
    # The answer to the start is lost: only the claim is known, and the run is found by its arguments.
    task.store.pop("glue_job_run_id")
    task.store.set("glue_job_run_id_claim", "2017-01-01T00:00:00+00:00")
    again = task.operator(waiter_max_attempts=1, cancel_on_kill=False)
    with pytest.raises(Exception, match="had not ended"):
        again.execute(task.context)
    assert again.run_id == run_id
    assert len(runs(glue)) == before + 1
    again.cancel_on_kill = True
    again.on_kill()
    assert until_state(glue, "STOPPED")["Id"] == run_id
    assert shop.keys(LAKE) == []


def test_a_spark_that_is_not_there_fails_the_run_and_says_so(aws: Sandbox, account: Any, shop: Shop) -> None:
    glue = aws.client("glue")
    shop.s3.put_object(Bucket=JOBS, Key="x.py", Body=b"")
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{JOBS}/x.py"}
    glue.create_job(Name="old", Role="glue-job", Command=command, GlueVersion="3.0")
    run_id = glue.start_job_run(JobName="old")["JobRunId"]
    run = until(
        lambda: glue.get_job_run(JobName="old", RunId=run_id)["JobRun"],
        lambda run: run["JobRunState"] == "FAILED",
    )
    assert run["ErrorMessage"] == "Glue 3.0 is not carried out here; 5.1, 6.0 are."
