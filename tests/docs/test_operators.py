"""Every example of docs/operators.md runs, in the page's order, on the local AWS."""

from __future__ import annotations

import inspect
import json
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import BaseOperator, BaseSensorOperator
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.aws.conftest import Store
from tests.aws.remote import TABLE, Remote
from tests.aws.test_jobs import TEMPLATE
from tests.aws.test_on_sandbox import connect
from tests.aws.test_patient_sensors import budget
from tests.sandbox.cleanrooms.lab import Lab
from tests.sandbox.parquet import parquet

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operators.md").read_text()
EXAMPLES = [
    (section.partition("\n")[0], code)
    for section in re.split(r"^(?=##)", PAGE, flags=re.M)
    for code in re.findall(r"```python\n(.*?)```", section, re.S)
]
# The sandbox has no jobs, populations, budgets and DataBrew: those run on a scripted service on real wire.
SCRIPTED = ("Clean with DataBrew", "Protected job", "Fill an intermediate table", "Budgets")
ENDS = {"job": "SUCCESS", "intermediate": "SUCCESS", "mapping": "SUCCEEDED", "clean": "SUCCEEDED"}


class Run:
    """What a DAG run would remember: results by task."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}

    def context(self) -> Any:
        ti = SimpleNamespace(
            try_number=1,
            max_tries=0,
            xcom_push=lambda key, value: None,
            xcom_pull=lambda task_ids: self.results[task_ids],
        )
        return {"ti": ti, "task_state_store": Store()}

    async def execute(self, task: BaseOperator) -> None:
        context = self.context()
        if isinstance(task, BaseSensorOperator):
            task.mode, task.poke_interval = "poke", 1  # to reschedule takes a scheduler
        task.render_template_fields(context)
        try:
            self.results[task.task_id] = task.execute(context)
        except TaskDeferred as deferral:
            path, kwargs = deferral.trigger.serialize()
            event = await anext(import_string(path)(**kwargs).run())
            arguments = {**(deferral.kwargs or {}), "event": event.payload}
            self.results[task.task_id] = task.resume_execution(deferral.method_name, arguments, context)


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def lab(aws: Sandbox) -> Lab:
    """Two days of visits, an export with its manifest, and the roles of the examples."""
    found = Lab(aws)
    brand = found.brand
    for day in ("2017-03-06", "2017-03-07"):
        key = f"visits/dt={day}/part-0.parquet"
        brand.s3.put_object(Bucket=brand.data, Key=key, Body=parquet(email_key=["a", "b"], store=["x", "y"]))
    brand.s3.put_object(Bucket=brand.data, Key="visits/2017-03-06/a.pgp", Body=b"x")
    manifest = json.dumps({"files": [{"name": "a.pgp", "size": 1}]}).encode()
    brand.s3.put_object(Bucket=brand.data, Key="visits/2017-03-06/manifest.json", Body=manifest)
    return found


@pytest.fixture(scope="module")
def names(lab: Lab) -> dict[str, Any]:
    """What the names in capitals stand for."""
    import pyarrow as pa

    brand = lab.brand
    days = ["2017-03-06", "2017-03-07"]
    table = pa.table({"email_key": ["a", "b"], "store": ["x", "y"], "dt": days})
    brand.parquet_table("visits", {"email_key": "string", "store": "string"}, table, keys={"dt": "string"})
    read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    inbound = f"crawled-{brand.prefix}"
    brand.s3.create_bucket(Bucket=inbound)
    brand.s3.put_object(Bucket=inbound, Key="visits/dt=2017-03-06/part-0.parquet", Body=parquet(n=[1]))
    return {
        "ACCOUNT": ACCOUNT,
        "PARTNER": PARTNER,
        "MEMBERSHIP": lab.membership,
        "COLLABORATION": lab.collaboration,
        "DATABASE": brand.database,
        "RESULTS": brand.results,
        "INBOUND": brand.data,
        "CRAWLED": inbound,
        "SERVICE_ROLE": brand.role,
        "CRAWLER_ROLE": lab.aws.role("docs-crawler", read, trust={"Service": "glue.amazonaws.com"}),
        "PYSPARK_TEMPLATE": TEMPLATE,
        "INTERMEDIATE_TABLE": TABLE,
        "ID_MAPPING_TABLE": TABLE,
    }


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title.strip("# ") for title, _ in EXAMPLES])
async def test_an_example_runs(
    title: str, code: str, names: dict[str, Any], run: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = dict(names)
    if title.endswith("Crawl"):
        space["INBOUND"] = names["CRAWLED"]
    exec(compile(code, title, "exec"), space)
    tasks = [value for value in space.values() if isinstance(value, BaseOperator)]
    assert tasks
    if not title.strip("# ").startswith(SCRIPTED):
        connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test")
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", os.environ["AIRFLOW_CONN_CLEAN_ROOMS"])
        for task in tasks:
            await run.execute(task)
        return
    with Remote() as remote:
        connect(monkeypatch, remote.endpoint, ACCOUNT, "test")
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", os.environ["AIRFLOW_CONN_CLEAN_ROOMS"])
        remote.budgets = [budget(COUNT_DISTINCT=3)]
        for task in tasks:
            remote.course = [ENDS.get(task.task_id, "")]
            await run.execute(task)


def test_every_example_of_the_page_was_found() -> None:
    assert len(EXAMPLES) == PAGE.count("```python")


def test_every_operator_and_sensor_is_on_the_page() -> None:
    for kind in ("operators", "sensors"):
        for path in sorted((ROOT / "plugins/cleanrooms/aws" / kind).glob("[a-z]*.py")):
            module = import_module(f"cleanrooms.aws.{kind}.{path.stem}")
            public = {
                name
                for name, value in vars(module).items()
                if inspect.isclass(value)
                and issubclass(value, BaseOperator)
                and value.__module__ == module.__name__
                and "kind" not in vars(value)
                and path.stem not in ("resource", "waiting", "patient")
            }
            assert all(name in PAGE for name in public), f"{path.name}: {public}"
            assert path.stem in ("resource", "waiting", "patient") or f"{kind}.{path.stem} import" in PAGE
