"""The operator, trigger and sensors against the local AWS, as a user with only the documented permissions."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from cleanrooms.aws.errors import PermissionDenied, QuotaExceeded
from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator
from cleanrooms.aws.sensors.export import ExportReadySensor
from cleanrooms.errors import ExportMissing, RuleViolationError, SourceError
from sandbox.testing import ACCOUNT, REGION, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.sandbox.cleanrooms.lab import Lab, any_query, user

OVERLAP = (
    "SELECT s.segment, COUNT(DISTINCT s.email_key) AS people "
    "FROM segments s JOIN campaigns c ON s.email_key = c.email_key GROUP BY s.segment"
)
HOLD = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "60"}


def least_privilege(lab: Lab) -> list[dict[str, Any]]:
    """What the runner's role needs, and nothing else."""
    membership = f"arn:aws:cleanrooms:{REGION}:{ACCOUNT}:membership/{lab.membership}"
    queries = [
        "StartProtectedQuery",
        "GetProtectedQuery",
        "UpdateProtectedQuery",
        "ListProtectedQueries",
        "GetMembership",
    ]
    results = f"arn:aws:s3:::{lab.brand.results}"
    return [
        {"Effect": "Allow", "Action": [f"cleanrooms:{name}" for name in queries], "Resource": membership},
        {
            "Effect": "Allow",
            "Action": ["cleanrooms:GetSchema", "cleanrooms:GetCollaborationAnalysisTemplate"],
            "Resource": "*",
        },
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListBucket"], "Resource": results},
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"{results}/*"},
    ]


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def slow() -> Iterator[Sandbox]:
    """A sandbox whose queries stay STARTED for a minute."""
    with running(environment=HOLD) as sandbox:
        yield sandbox


def furnish(aws: Sandbox) -> Lab:
    lab = Lab(aws)
    lab.brand.csv_table(
        "campaigns", ["email_key", "campaign"], [("b", "spring"), ("c", "spring"), ("x", "brand")]
    )
    lab.retailer.csv_table(
        "segments", ["email_key", "segment"], [("a", "news"), ("b", "sports"), ("c", "news")]
    )
    lab.brand.share(lab.membership, "campaigns", ["email_key", "campaign"], "CUSTOM", any_query())
    lab.retailer.share(lab.retailer_membership, "segments", ["email_key", "segment"], "CUSTOM", any_query())
    return lab


@pytest.fixture(scope="module")
def lab(aws: Sandbox) -> Lab:
    return furnish(aws)


@pytest.fixture(scope="module")
def slow_lab(slow: Sandbox) -> Lab:
    return furnish(slow)


def connect(monkeypatch: pytest.MonkeyPatch, endpoint: str, key: str, secret: str, **extra: Any) -> None:
    """The Airflow connection ``clean_rooms``, and AWS at the sandbox."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    connection = {
        "conn_type": "aws",
        "login": key,
        "password": secret,
        "extra": {"region_name": REGION, **extra},
    }
    monkeypatch.setenv("AIRFLOW_CONN_CLEAN_ROOMS", json.dumps(connection))


@pytest.fixture
def as_runner(lab: Lab, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Lab:
    key = user(lab.aws, f"runner-{time.time_ns()}", *least_privilege(lab))
    connect(monkeypatch, lab.aws.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    return lab


@pytest.fixture
def as_slow_runner(slow_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    connect(monkeypatch, slow_lab.aws.endpoint, ACCOUNT, "test")
    return slow_lab


def operator(lab: Lab, week: str, **changes: Any) -> CleanRoomsStartProtectedQueryOperator:
    arguments: dict[str, Any] = {
        "task_id": "overlap",
        "membership_id": lab.membership,
        "sql": OVERLAP,
        "result_bucket": lab.brand.results,
        "result_prefix": f"weekly/overlap/{week}",
        "aws_conn_id": "clean_rooms",
        "deferrable": False,
        "waiter_delay": 1,
    }
    return CleanRoomsStartProtectedQueryOperator(**{**arguments, **changes})


def rows(lab: Lab, result: dict[str, Any]) -> dict[str, int]:
    body, _ = lab.result_object(result["output_location"])
    return {row["segment"]: row["people"] for row in pq.read_table(io.BytesIO(body)).to_pylist()}


def accepted(lab: Lab, since: int) -> int:
    """StartProtectedQuery calls that the service carried out."""
    calls = [call for call in lab.aws.audit(since) if call["operation"] == "StartProtectedQuery"]
    return sum(not call["error"] for call in calls)


def now(lab: Lab) -> int:
    return int(lab.aws.audit()[-1]["number"])


async def finish(operator: Any, store: Store) -> dict[str, Any]:
    """Run a deferrable task to its end as scheduler, worker and triggerer would."""
    try:
        return operator.execute(context_of(store))  # a query that ended meanwhile needs no deferral
    except TaskDeferred as deferral:
        deferred = deferral
    path, kwargs = deferred.trigger.serialize()
    event = await anext(import_string(path)(**kwargs).run())
    result: dict[str, Any] = operator.resume_execution(
        deferred.method_name, {"event": event.payload}, context_of(store)
    )
    return result


def test_a_worker_waits_for_the_query_and_its_result_is_right(as_runner: Lab, store: Store) -> None:
    result = operator(as_runner, "sync").execute(context_of(store))
    assert rows(as_runner, result) == {"sports": 1, "news": 1}
    assert result["billed_units"] > 0


async def test_the_triggerer_waits_for_the_query_and_its_result_is_right(
    as_runner: Lab, store: Store
) -> None:
    result = await finish(operator(as_runner, "deferred", deferrable=True), store)
    assert rows(as_runner, result) == {"sports": 1, "news": 1}


async def test_both_modes_work_with_an_assumed_role(
    lab: Lab, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = lab.aws.role(f"runner-{time.time_ns()}", *least_privilege(lab))
    connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test", role_arn=role)
    assert operator(lab, "role-sync").execute(context_of(store))["status"] == "SUCCESS"
    assert (await finish(operator(lab, "role-deferred", deferrable=True), Store()))["status"] == "SUCCESS"


@pytest.mark.parametrize("deferrable", [False, True])
async def test_a_lost_response_costs_one_query(as_runner: Lab, store: Store, deferrable: bool) -> None:
    since = now(as_runner)
    as_runner.aws.faults({"match": "StartProtectedQuery$", "cut_after_response": True})
    task = operator(as_runner, f"lost-{deferrable}", deferrable=deferrable)
    result = await finish(task, store) if deferrable else task.execute(context_of(store))
    calls = [call for call in as_runner.aws.audit(since) if call["operation"] == "StartProtectedQuery"]
    assert len(calls) == 1
    assert rows(as_runner, result) == {"sports": 1, "news": 1}


def test_a_retry_after_a_crash_costs_no_second_query(as_runner: Lab, store: Store) -> None:
    since = now(as_runner)
    first = operator(as_runner, "crash", wait_for_completion=False).execute(context_of(store))
    store.clear()
    store["cleanrooms_claim"] = {"at": "2017-03-06T00:00:00+00:00", "request": "-", "forced": False}
    second = operator(as_runner, "crash").execute(context_of(store, try_number=2))
    assert (first["query_id"], accepted(as_runner, since)) == (second["query_id"], 1)


async def test_throttling_while_waiting_is_sat_out(as_runner: Lab, store: Store) -> None:
    as_runner.aws.faults(
        {"match": "GetProtectedQuery$", "status": 429, "code": "ThrottlingException", "times": 3}
    )
    config = {"retries": {"total_max_attempts": 1}}
    task = operator(as_runner, "throttled", deferrable=True, waiter_delay=0, botocore_config=config)
    result = await finish(task, store)
    assert result["status"] == "SUCCESS"


def test_a_query_that_breaks_a_rule_is_refused_for_good(as_runner: Lab, store: Store) -> None:
    with pytest.raises(RuleViolationError) as info:
        operator(as_runner, "rule", sql="SELECT nothing FROM segments").execute(context_of(store))
    assert info.value.permanent
    assert store == {}


def test_an_action_that_the_caller_lacks_is_named(
    lab: Lab, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = user(lab.aws, f"nobody-{time.time_ns()}", *least_privilege(lab)[1:])
    connect(monkeypatch, lab.aws.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(PermissionDenied, match="StartProtectedQuery") as info:
        operator(lab, "denied").execute(context_of(store))
    assert info.value.data["cause"] == "caller"


def test_a_result_writer_without_rights_is_told_from_the_rest(
    lab: Lab, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = user(lab.aws, f"writer-{time.time_ns()}", *least_privilege(lab)[:2])
    connect(monkeypatch, lab.aws.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(PermissionDenied) as info:
        operator(lab, "unwritten").execute(context_of(store))
    assert info.value.data["cause"] == "result writer"


def test_a_table_whose_service_role_may_not_read_is_told_from_the_rest(as_runner: Lab, store: Store) -> None:
    lab = as_runner
    lab.retailer.csv_table("closed", ["email_key", "segment"], [("a", "news")])
    role = lab.retailer.service_role("s3:GetObject")
    columns = ["email_key", "segment"]
    lab.retailer.share(lab.retailer_membership, "closed", columns, "CUSTOM", any_query(), role=role)
    with pytest.raises(PermissionDenied) as info:
        operator(lab, "closed", sql="SELECT COUNT(*) AS n FROM closed").execute(context_of(store))
    assert info.value.data["cause"] == "service role"


async def test_a_person_who_ends_the_deferred_task_ends_the_query(as_slow_runner: Lab, store: Store) -> None:
    with pytest.raises(TaskDeferred) as info:
        operator(as_slow_runner, "killed", deferrable=True).execute(context_of(store))
    await info.value.trigger.on_kill()
    assert as_slow_runner.wait(store["cleanrooms_query_id"])["status"] == "CANCELLED"


def test_a_sixth_query_at_once_waits_for_its_retry(as_slow_runner: Lab) -> None:
    lab = as_slow_runner
    running = [
        operator(lab, f"many-{n}", wait_for_completion=False).execute(context_of(Store())) for n in range(5)
    ]
    with pytest.raises(QuotaExceeded):
        operator(lab, "many-6").execute(context_of(Store()))
    for query in running:
        lab.brand.clean_rooms.update_protected_query(
            membershipIdentifier=lab.membership,
            protectedQueryIdentifier=query["query_id"],
            targetStatus="CANCELLED",
        )


class TestExport:
    """The sensor for exports, in both modes, on a real bucket."""

    @pytest.fixture
    def bucket(self, aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
        connect(monkeypatch, aws.endpoint, ACCOUNT, "test")
        name = f"inbound-{time.time_ns()}"
        aws.client("s3").create_bucket(Bucket=name)
        return name

    def sensor(self, bucket: str, **changes: Any) -> ExportReadySensor:
        arguments: dict[str, Any] = {
            "task_id": "wait_for_export",
            "bucket": bucket,
            "prefix": "campaigns/2017-03-06/",
            "pattern": "*.csv.gz.pgp",
            "quiet_seconds": 0.5,
            "deadline_seconds": 300,
            "poke_interval": 0.3,
            "deferrable": False,
            "aws_conn_id": "clean_rooms",
        }
        return ExportReadySensor(**{**arguments, **changes})

    def put(self, aws: Sandbox, bucket: str, name: str, body: bytes) -> None:
        aws.client("s3").put_object(Bucket=bucket, Key=f"campaigns/2017-03-06/{name}", Body=body)

    async def run(self, sensor: ExportReadySensor, mode: str) -> Any:
        if mode == "poke":
            return await asyncio.to_thread(sensor.execute, context_of(Store()))
        try:
            return sensor.execute(context_of(Store()))
        except TaskDeferred as deferral:
            deferred = deferral
        path, kwargs = deferred.trigger.serialize()
        event = await anext(import_string(path)(**kwargs).run())
        return sensor.execute_complete(context_of(Store()), event.payload)

    @pytest.fixture(params=["poke", "deferred"])
    def mode(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def both(self, bucket: str, mode: str, **changes: Any) -> ExportReadySensor:
        return self.sensor(bucket, deferrable=mode == "deferred", **changes)

    async def test_a_manifest_makes_the_export_complete(self, aws: Sandbox, bucket: str, mode: str) -> None:
        manifest = {"files": [{"name": "part-0.csv.gz.pgp", "size": 5}, {"name": "part-1.csv.gz.pgp"}]}
        self.put(aws, bucket, "manifest.json", json.dumps(manifest).encode())
        self.put(aws, bucket, "part-0.csv.gz.pgp", b"12345")
        waiting = asyncio.create_task(self.run(self.both(bucket, mode, manifest="manifest.json"), mode))
        await asyncio.sleep(1)
        assert not waiting.done()
        self.put(aws, bucket, "part-1.csv.gz.pgp", b"123")
        assert await waiting == {"files": 2, "bytes": 8}

    async def test_a_quiet_listing_is_complete(self, aws: Sandbox, bucket: str, mode: str) -> None:
        self.put(aws, bucket, "part-0.csv.gz.pgp", b"12345")
        self.put(aws, bucket, "notes.txt", b"-")
        assert await self.run(self.both(bucket, mode), mode) == {"files": 1, "bytes": 5}

    async def test_nothing_by_the_deadline_is_a_missing_export(self, bucket: str, mode: str) -> None:
        with pytest.raises(
            ExportMissing, match=rf"s3://{bucket}/campaigns/2017-03-06/ after 1 s\. Seen: 0 objects"
        ):
            await self.run(self.both(bucket, mode, deadline_seconds=1), mode)

    async def test_a_bucket_that_is_not_there_fails_at_once(self, bucket: str, mode: str) -> None:
        with pytest.raises(Exception, match="ListObjectsV2 on s3://elsewhere-123") as info:
            await self.run(self.both("elsewhere-123", mode), mode)
        assert info.value.permanent  # type: ignore[attr-defined]

    async def test_a_manifest_that_is_none_fails_at_once(self, aws: Sandbox, bucket: str, mode: str) -> None:
        self.put(aws, bucket, "manifest.json", b'{"done": true}')
        with pytest.raises(SourceError, match=r"manifest\.json cannot be understood"):
            await self.run(self.both(bucket, mode, manifest="manifest.json"), mode)
