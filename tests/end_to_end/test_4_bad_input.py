"""Bad input stops its own run with a clear error in the task's log; nothing is published, nothing is lost."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end import exports
from tests.end_to_end.conftest import Ran
from tests.waiting import until
from tools import pipeline
from tools.process import StackError

pytestmark = pytest.mark.airflow
DAG = "ingest__campaign_exposures"


@pytest.fixture(scope="module")
def failed(ran: Ran) -> dict[str, dict[str, str]]:
    """Runs all bad days; answers for each day the failed task and its log."""
    known = exports.keys(ran.client("secretsmanager"))
    s3 = ran.client("s3")
    for day, make, _, _ in exports.BAD.values():
        for name, body in make(day, known).items():
            s3.put_object(Bucket="brand-inbound", Key=f"campaign_exposures/dt={day}/{name}", Body=body)
    days = [day for day, *_ in exports.BAD.values()]
    with pytest.raises(StackError, match="failed"):
        pipeline.backfill(ran.stack, [DAG], f"{min(days)}T00:00:00Z", f"{max(days)}T23:00:00Z")
    return {run["partition_key"]: _failure(ran, run["dag_run_id"]) for run in ran.stack.api.runs(DAG)}


def _failure(ran: Ran, run_id: str) -> dict[str, str]:
    for task in ran.stack.api.tasks(DAG, run_id):
        if task["state"] == "failed":
            folder = (
                ran.stack.home / "logs" / f"dag_id={DAG}" / f"run_id={run_id}" / f"task_id={task['task_id']}"
            )
            log = "\n".join(path.read_text() for path in sorted(folder.rglob("*.log*")))
            return {"task": task["task_id"], "log": log, "tries": str(task["try_number"])}
    return {}


@pytest.mark.parametrize("kind", exports.BAD)
def test_the_error_names_the_cause_and_what_to_do(failed: dict[str, dict[str, str]], kind: str) -> None:
    day, _, task, words = exports.BAD[kind]
    failure = failed[day.isoformat()]
    assert failure["task"] == task
    said = [line for line in failure["log"].splitlines() if "What to do" in line]
    assert said, failure["log"][-2000:]
    assert any(re.search(words, line, re.IGNORECASE) for line in said), said
    assert failure["tries"] == "1", "trying again cannot help, so it must not be tried"


def test_nothing_of_a_bad_day_reaches_the_lake(ran: Ran, failed: dict[str, dict[str, str]]) -> None:
    keys = ran.objects("brand-lake", "campaign_exposures/")
    assert not [key for key in keys for day, *_ in exports.BAD.values() if f"dt={day}" in key]


def test_the_files_of_a_bad_day_stay_where_they_are(ran: Ran, failed: dict[str, dict[str, str]]) -> None:
    day = exports.BAD["tampered"][0]
    assert len(ran.objects("brand-inbound", f"campaign_exposures/dt={day}/")) == 2


def test_the_bad_rows_over_the_limit_are_kept_in_the_quarantine(
    ran: Ran, failed: dict[str, dict[str, str]]
) -> None:
    day = exports.BAD["many bad rows"][0]
    kept = [body for key, body in ran.objects("brand-quarantine").items() if str(day) in key]
    assert sum(body.count(b"\n") for body in kept) > 100


def _one_run_fails(ran: Ran, dag_id: str, day: str) -> str:
    with pytest.raises(StackError, match="failed"):
        pipeline.backfill(ran.stack, [dag_id], f"{day}T00:00:00Z", f"{day}T23:00:00Z")
    folder = ran.stack.home / "logs" / f"dag_id={dag_id}"
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*.log*")))


def test_a_query_that_breaks_a_rule_is_refused_before_it_is_paid_for(ran: Ran) -> None:
    started = ran.started_queries()
    log = _one_run_fails(ran, "collaborate__greedy", "2017-11-13")
    assert "email_key" in log
    assert "COLUMN_IN_SELECT" in log
    assert ran.started_queries() == started


def test_a_typo_in_a_config_file_fails_its_own_dag_and_names_the_fix(ran: Ran) -> None:
    run = ran.stack.api.call("POST", "/dags/ingest__typo/dagRuns", json={"logical_date": None})
    path = f"/dags/ingest__typo/dagRuns/{run['dag_run_id']}"
    ended = until(
        lambda: ran.stack.api.call("GET", path)["state"], lambda state: state in ("success", "failed"), 0.5
    )
    assert ended == "failed"
    log = "\n".join(p.read_text() for p in (ran.stack.home / "logs" / "dag_id=ingest__typo").rglob("*.log*"))
    assert "typo.yaml: field recipy: is not known; did you mean 'recipe'?" in log
