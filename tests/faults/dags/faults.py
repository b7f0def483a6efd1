"""One DAG for each fault, alike but for its name and how the task waits."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator


class Doomed(CleanRoomsStartProtectedQueryOperator):
    """Its first try is killed when the service has accepted the query and nothing of it is recorded yet.

    :param victim: "task" for the task's process, "worker" for that and the worker which watches it
    """

    def __init__(self, *, victim: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.victim = victim

    def _follow(self, context: Any, query: dict[str, Any], adopted: bool) -> dict[str, Any]:
        if context["ti"].try_number == 1:
            if self.victim == "worker":
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._follow(context, query, adopted)


SQL = "SELECT segment, COUNT(*) AS people FROM segments GROUP BY segment"
ARGUMENTS: dict[str, Any] = {
    "task_id": "query",
    "membership_id": os.environ["FAULTS_MEMBERSHIP"],
    "sql": SQL,
    "result_bucket": os.environ["FAULTS_RESULTS"],
    "result_prefix": "{{ dag.dag_id }}/{{ run_id }}",
    "waiter_delay": 1,
    "retries": 2,
    "retry_delay": timedelta(seconds=1),
}
PERSONS = ("cleared", "failed", "success")
DEFERRED = (
    "lost",
    "triggerer",
    "scheduler",
    "outside",
    "timed_out",
    "again",
    "throttled_start",
    "throttled_deferred",
    *(f"{what}_deferred" for what in PERSONS),
)
IN_WORKER = ("lost_in_worker", "throttled_running", *(f"{what}_running" for what in PERSONS))

for name in (*DEFERRED, *IN_WORKER):
    with DAG(f"fault__{name}", schedule=None):
        CleanRoomsStartProtectedQueryOperator(deferrable=name in DEFERRED, **ARGUMENTS)

for name in ("expired_deferred", "expired_running"):
    with DAG(f"fault__{name}", schedule=None):
        CleanRoomsStartProtectedQueryOperator(
            deferrable=name == "expired_deferred", aws_conn_id="aws_assumed", **ARGUMENTS
        )

for victim in ("task", "worker"):
    for deferrable in (True, False):
        with DAG(f"fault__killed_{victim}_{'deferred' if deferrable else 'running'}", schedule=None):
            Doomed(victim=victim, deferrable=deferrable, **ARGUMENTS)
