"""The whole nightly DAG with the engine databrew, in a real scheduler."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from cleanrooms.databrew import names
from tests.databrew.airflow.conftest import BrewStack, Run
from tests.databrew.kit import DAY, EXPORT, HMAC, STEPS, House

pytestmark = pytest.mark.airflow

Runs = Callable[[str], Run]
ENDED = ("success", "failed")
CANARIES = ("ada@example.com", "bob@example.com", HMAC.hex(), base64.b64encode(HMAC).decode().lower())


def rows(house: House, table: str, day: date) -> Any:
    """The published table of a day, in the order of its rows."""
    key = f"tables/{table}/dt={day}/part-00000.parquet"
    return pq.read_table(io.BytesIO(house.s3.get_object(Bucket=house.lake, Key=key)["Body"].read()))


def small(house: House, day: date) -> None:
    """The same export for the source that the worker prepares."""
    body = ("\n".join(EXPORT) + "\n").encode()
    house.s3.put_object(Bucket=house.inbound, Key=f"small/{day}/a.csv", Body=body)


def left(house: House, day: date) -> list[str]:
    """What DataBrew and the staging bucket still have of a day."""
    name = names.run_name(house.source(STEPS, target=_target(house)), day)
    jobs = [job["Name"] for job in house.client.list_jobs()["Jobs"] if job["Name"] == name]
    datasets = [one["Name"] for one in house.client.list_datasets()["Datasets"] if one["Name"] == name]
    return [*jobs, *datasets, *(key for key in house.keys(house.staging) if f"dt={day}" in key)]


def _target(house: House) -> dict[str, Any]:
    described = json.loads((house.include / "sources" / "big_crm.yaml").read_text())
    target: dict[str, Any] = described["target"]
    return target


def test_the_nights_table_equals_the_workers_and_nothing_is_left(stack: BrewStack, run: Runs) -> None:
    house = stack.house
    small(house, DAY)
    house.send(EXPORT)
    worker = run("ingest__small_crm").begin(day=str(DAY))
    brewed = run("ingest__big_crm").begin(day=str(DAY))
    for one in (worker, brewed):
        assert one.until_over(*ENDED) == "success", one.log()[-6000:]
    ours, theirs = rows(house, "big_crm", DAY), rows(house, "small_crm", DAY)
    assert ours.equals(theirs)
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert brewed.accepted("StartJobRun") == 1
    assert left(house, DAY) == []
    tables = house.aws.client("glue").get_tables(DatabaseName="brand")["TableList"]
    columns = {t["Name"]: t["StorageDescriptor"]["Columns"] for t in tables}
    assert columns["big_crm"] == columns["small_crm"]
    archived = house.keys(house.inbound)
    assert f"archive/tool/{DAY}/a.csv" in archived


def test_no_value_reaches_logs_or_what_tasks_hand_on(stack: BrewStack, run: Runs) -> None:
    day = DAY + timedelta(days=1)
    stack.house.send(EXPORT, day=day)
    brewed = run("ingest__big_crm").begin(day=str(day))
    assert brewed.until_over(*ENDED) == "success", brewed.log()[-6000:]
    path = f"/dags/{brewed.dag}/dagRuns/{brewed.id}/taskInstances"
    handed = [
        stack.api.call("GET", f"{path}/{task}/xcomEntries/return_value")
        for task in ("stage", "run_recipe", "prepare")
    ]
    rendered = stack.api.call("GET", path)
    seen = json.dumps([handed, rendered]) + brewed.log()
    assert '"good": 4' in seen
    assert [canary for canary in CANARIES if canary in seen.lower()] == []


def test_days_at_the_same_time_do_not_meet(stack: BrewStack, run: Runs) -> None:
    days = [DAY + timedelta(days=n) for n in (3, 4, 5)]
    for number, day in enumerate(days):
        stack.house.send(EXPORT[: number + 2], day=day)
    runs = [run("ingest__big_crm").begin(day=str(day)) for day in days]
    for one in runs:
        assert one.until_over(*ENDED) == "success", one.log()[-6000:]
    assert [rows(stack.house, "big_crm", day).num_rows for day in days] == [1, 2, 3]
    assert runs[0].accepted("StartJobRun") == 3
    assert [left(stack.house, day) for day in days] == [[], [], []]


def test_a_run_that_fails_leaves_no_rows_and_the_table_as_it_was(stack: BrewStack, run: Runs) -> None:
    house, day = stack.house, DAY + timedelta(days=7)
    house.send(EXPORT, day=day)
    iam = house.aws.client("iam")
    role = f"job-{house.number}"
    policy = iam.get_role_policy(RoleName=role, PolicyName="test")["PolicyDocument"]
    iam.put_role_policy(
        RoleName=role,
        PolicyName="test",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [s for s in policy["Statement"] if "secrets" not in str(s["Action"])],
            }
        ),
    )
    try:
        failed = run("ingest__big_crm").begin(day=str(day))
        assert failed.until_over(*ENDED) == "failed", failed.log()[-6000:]
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="test", PolicyDocument=json.dumps(policy))
    assert failed.task("run_recipe")["state"] == "failed"
    assert failed.task("clean_up")["state"] == "success"
    assert "not authorized to perform: secretsmanager:GetSecretValue" in failed.log()
    assert failed.accepted("StartJobRun") == 1
    assert left(house, day) == []
    assert not [key for key in house.keys(house.lake) if f"big_crm/dt={day}" in key]
    # The person mends the role and clears the run: the day is made.
    failed.clear("stage", "run_recipe", "prepare", "crawl", "verify", "archive", "notify", "clean_up")
    assert failed.until_over("success") == "success", failed.log()[-6000:]
    assert rows(house, "big_crm", day).num_rows == 4
    assert left(house, day) == []
