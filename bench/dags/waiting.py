"""Many protected queries that wait in the triggerer at once."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import DAG

from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator

TASKS = int(os.environ["BENCH_TASKS"])
ARGUMENTS: dict[str, Any] = {
    "membership_id": os.environ["FAULTS_MEMBERSHIP"],
    "sql": "SELECT segment, COUNT(*) AS people FROM segments GROUP BY segment",
    "result_bucket": os.environ["FAULTS_RESULTS"],
    "deferrable": True,
    "waiter_delay": 30,
}

with DAG("waiting", schedule=None, max_active_tasks=TASKS):
    for number in range(TASKS):
        CleanRoomsStartProtectedQueryOperator(
            task_id=f"query_{number}", result_prefix=f"{{{{ run_id }}}}/{number}", **ARGUMENTS
        )
