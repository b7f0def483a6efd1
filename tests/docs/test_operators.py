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

from cleanrooms.aws import errors
from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.aws.conftest import Store
from tests.aws.remote import Remote
from tests.aws.test_jobs import TEMPLATE
from tests.aws.test_on_sandbox import connect
from tests.sandbox.cleanrooms import intermediate
from tests.sandbox.cleanrooms import test_id_mapping as mapping
from tests.sandbox.cleanrooms.lab import Lab, any_query
from tests.sandbox.databrew.kit import LOWER, Brewery
from tests.sandbox.parquet import parquet


def _actions(calls: str) -> Iterator[str]:
    """Actions of a cell such as ``glue: GetTable, GetTables; sts: GetCallerIdentity``."""
    for part in calls.split(";"):
        service, _, names = part.rpartition(":")
        yield from (f"{service.split()[-1]}:{name.strip()}" for name in names.split(","))


ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operators.md").read_text()
EXAMPLES = [
    (section.partition("\n")[0], code)
    for section in re.split(r"^(?=##)", PAGE, flags=re.M)
    for code in re.findall(r"```python\n(.*?)```", section, re.S)
]
# The sandbox refuses protected jobs: they run on a scripted service on real wire.
SCRIPTED = "Protected job"
POLICIES = ROOT / "infra" / "policies"
RIGHTS = {
    name.strip(): (frozenset(_actions(calls)), policy.strip())
    for name, calls, policy in re.findall(
        r"^\| (.+?) \| (\w+: .+?) \| ([\w-]+) \|$", PAGE.partition("## Permissions")[2], re.M
    )
}
BASES = ("base", "resource", "waiting", "patient")
# Operations whose IAM action bears another name.
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket"}


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
    brand.s3.put_object(Bucket=brand.data, Key="jobs/count.py", Body=b"import pyspark")
    return found


def mapping_table(lab: Lab) -> str:
    mapping.namespace(lab.brand, lab.membership, "SOURCE")
    mapping.namespace(lab.retailer, lab.retailer_membership, "TARGET")
    mapping.map_to(lab, "loyalty_id,device_id\nl1,d1\n")
    return str(mapping.create(lab)["id"])


def intermediate_table(lab: Lab) -> str:
    """A table that waits for its rows, from visits that the retailer shares."""
    intermediate.share(lab, any_query(), name="purchases")
    return intermediate.create(
        lab, "SELECT p.store, COUNT(DISTINCT p.person) AS people FROM purchases p GROUP BY p.store"
    )


def databrew_job(aws: Sandbox, name: str) -> None:
    """A recipe job with its recipe, dataset and role, not yet run."""
    brewery = Brewery(aws)
    brewery.recipe(LOWER)
    brewery.dataset()
    brewery.job(Name=name)


@pytest.fixture(scope="module")
def names(lab: Lab) -> dict[str, Any]:
    """What the names in capitals stand for."""
    import pyarrow as pa

    brand = lab.brand
    days = ["2017-03-06", "2017-03-07"]
    table = pa.table({"email_key": ["a", "b"], "store": ["x", "y"], "dt": days})
    brand.parquet_table("visits", {"email_key": "string", "store": "string"}, table, keys={"dt": "string"})
    read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    databrew_job(lab.aws, "clean-visits")
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
        "INTERMEDIATE_TABLE": intermediate_table(lab),
        "ID_MAPPING_TABLE": mapping_table(lab),
    }


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


def called(lab: Lab, since: int) -> set[str]:
    """What was called in our own name since a call."""
    calls = [call for call in lab.aws.audit(since) if not call["internal"]]
    names = {f"{call['service']}:{call['operation']}" for call in calls}
    return {ACTIONS.get(name, name) for name in names}


def documented(task: BaseOperator) -> frozenset[str]:
    """The calls of an operator's row."""
    name = re.sub(
        r"^CleanRooms(Create|Update|Delete)(?!.*Sensor)", r"Create, Update, Delete", type(task).__name__
    )
    return RIGHTS[name][0]


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title.strip("# ") for title, _ in EXAMPLES])
async def test_an_example_runs(
    title: str, code: str, names: dict[str, Any], run: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEANROOMS_POLL_SECONDS", "1")
    space = dict(names)
    if title.endswith("Crawl"):
        space["INBOUND"] = names["CRAWLED"]
    exec(compile(code, title, "exec"), space)
    tasks = [value for value in space.values() if isinstance(value, BaseOperator)]
    assert tasks
    if not title.strip("# ").startswith(SCRIPTED):
        connect(monkeypatch, lab.aws.endpoint, ACCOUNT, "test")
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", os.environ["AIRFLOW_CONN_CLEAN_ROOMS"])
        with Remote() as resolution:
            monkeypatch.setenv("AWS_ENDPOINT_URL_ENTITYRESOLUTION", resolution.endpoint)
            resolution.course, resolution.workflow = ["SUCCEEDED"], f"links-{lab.brand.prefix}"
            for task in tasks:
                since = int(lab.aws.audit()[-1]["number"])
                await run.execute(task)
                assert set() < called(lab, since) <= documented(task)
        return
    with Remote() as remote:
        connect(monkeypatch, remote.endpoint, ACCOUNT, "test")
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", os.environ["AIRFLOW_CONN_CLEAN_ROOMS"])
        for task in tasks:
            remote.course = ["SUCCESS"]
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
                and path.stem not in BASES
            }
            assert all(name in PAGE for name in public), f"{path.name}: {public}"
            assert path.stem in BASES or f"{kind}.{path.stem} import" in PAGE


def test_every_operator_and_sensor_has_its_permissions_on_the_page() -> None:
    tasks = set(re.findall(r"import (CleanRooms\w+|\w+Sensor)$|^    (CleanRooms\w+),$", PAGE, re.M))
    for name in {one or other for one, other in tasks}:
        row = re.sub(r"^CleanRooms(Create|Update|Delete)", "Create, Update, Delete", name)
        assert row in RIGHTS or name in RIGHTS, name


@pytest.mark.parametrize("row", RIGHTS)
def test_the_named_policy_allows_what_a_row_says(row: str) -> None:
    actions, policy = RIGHTS[row]
    statements = json.loads((POLICIES / f"{policy}.json").read_text())["Statement"]
    allowed = {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert actions - allowed <= {"sts:GetCallerIdentity", "glue:GetTable"}


@pytest.mark.parametrize("policy", ["lifecycle", "analyses", "databrew"])
def test_a_policy_allows_nothing_that_no_row_names(policy: str) -> None:
    statements = json.loads((POLICIES / f"{policy}.json").read_text())["Statement"]
    named = {action for actions, of in RIGHTS.values() if of == policy for action in actions}
    for statement in statements:
        actions = statement["Action"]
        assert ({actions} if isinstance(actions, str) else set(actions)) <= named


def test_every_error_of_clean_rooms_is_explained_on_the_page() -> None:
    explained = PAGE.partition("## When things break")[2]
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and kind.__module__ == errors.__name__:
            assert name in explained, name
