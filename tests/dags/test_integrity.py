"""All DAGs: they import cleanly and cheaply, and say who owns them and how they fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = sorted(path.name for path in (ROOT / "dags").glob("*.py"))
HEAVY = [
    "polars",
    "pyarrow",
    "duckdb",
    "sqlglot",
    "matplotlib",
    "phonenumbers",
    "pysequoia",
    "adbc_driver_manager",
]

DESCRIBE = """
import json, warnings
from pathlib import Path
warnings.simplefilter("error", DeprecationWarning)
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=%r)
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {
        dag_id: {
            "doc": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup,
            "tasks": {
                task.task_id: {
                    "owner": task.owner, "retries": task.retries, "pool": task.pool,
                    "upstream": sorted(task.upstream_task_ids),
                    "timeout": task.execution_timeout is not None, "policy": task.retry_policy is not None,
                } for task in dag.tasks
            },
        } for dag_id, dag in bag.dags.items()
    },
}))
"""

PARSE = """
import json, socket, sys
def refuse(*a, **k): raise AssertionError("a DAG file opened a connection while it was parsed")
socket.socket.connect = refuse
socket.create_connection = refuse
import runpy
runpy.run_path(%r, run_name="parsed_dag")
print(json.dumps([name for name in %r if name in sys.modules]))
"""


@pytest.fixture(scope="module")
def bag(run_python: Callable[..., Any]) -> dict[str, Any]:
    return run_python(DESCRIBE % str(ROOT / "dags"))


def test_every_dag_file_imports_without_errors(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}


def test_there_is_a_dag_for_every_file_that_users_wrote(bag: dict[str, Any]) -> None:
    sources = {f"ingest__{path.stem}" for path in (ROOT / "include" / "sources").glob("*.yaml")}
    rooms = {f"collaborate__{path.stem}" for path in (ROOT / "include" / "collaborations").glob("*.yaml")}
    assert sources | rooms <= set(bag["dags"])
    assert sources
    assert rooms


def test_every_dag_is_documented_tagged_and_does_not_catch_up_by_itself(bag: dict[str, Any]) -> None:
    for dag_id, dag in bag["dags"].items():
        assert dag["doc"], dag_id
        assert "cleanrooms" in dag["tags"], dag_id
        assert not dag["catchup"], dag_id


def test_every_task_has_an_owner_retries_a_retry_policy_and_a_timeout(bag: dict[str, Any]) -> None:
    for dag_id, dag in bag["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["owner"] != "airflow", (dag_id, task_id)
            assert task["retries"] >= 1, (dag_id, task_id)
            assert task["policy"], (dag_id, task_id)
            assert task["timeout"], (dag_id, task_id)


def test_no_query_starts_before_preflight_has_passed(bag: dict[str, Any]) -> None:
    for dag_id, dag in bag["dags"].items():
        if dag_id.startswith("collaborate__"):
            assert dag["tasks"]["query.run"]["upstream"] == ["preflight"], dag_id


def test_files_are_archived_only_when_the_catalog_shows_their_rows(bag: dict[str, Any]) -> None:
    tasks = bag["dags"]["ingest__campaign_exposures"]["tasks"]
    assert "verify" in tasks["archive"]["upstream"]
    assert tasks["prepare"]["upstream"] == ["wait_for_export"]


def test_every_pool_is_one_that_the_project_defines(bag: dict[str, Any]) -> None:
    import json

    known = {"default_pool", *json.loads((ROOT / "include" / "pools.json").read_text())}
    used = {task["pool"] for dag in bag["dags"].values() for task in dag["tasks"].values()}
    assert used <= known


@pytest.mark.parametrize("file", DAG_FILES)
def test_parsing_makes_no_connection_and_imports_nothing_heavy(
    file: str, run_python: Callable[..., Any]
) -> None:
    assert run_python(PARSE % (str(ROOT / "dags" / file), HEAVY)) == []


def test_a_broken_config_file_breaks_its_own_dag_only(run_python: Callable[..., Any], tmp_path: Path) -> None:
    import shutil

    include = tmp_path / "include"
    shutil.copytree(ROOT / "include", include)
    good, bad = sorted((include / "sources").glob("*.yaml"))[:2]
    bad.write_text(bad.read_text().replace("recipe:", "recipy:"))
    found = run_python(DESCRIBE % str(ROOT / "dags"), CLEANROOMS_INCLUDE_DIR=str(include))
    assert found["errors"] == {}
    assert "did you mean 'recipe'?" in found["dags"][f"ingest__{bad.stem}"]["doc"]
    assert len(found["dags"][f"ingest__{good.stem}"]["tasks"]) > 3
