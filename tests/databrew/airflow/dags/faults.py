"""One DAG for each fault of the operator that starts a job, each with a job of its own."""

from __future__ import annotations

import json
import os
import signal
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from cleanrooms.aws.operators.databrew import CleanRoomsDataBrewStartJobOperator


class Doomed(CleanRoomsDataBrewStartJobOperator):
    """Its first try dies when the service has accepted the run and nothing of it is recorded yet."""

    def _submit(self) -> str:
        run_id = super()._submit()
        if os.environ.get("DOOMED_ONCE", "1") and not os.path.exists(self._mark):
            with open(self._mark, "w"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return run_id

    @property
    def _mark(self) -> str:
        return os.path.join(os.environ["AIRFLOW_HOME"], f"doomed-{self.job_name}")


JOBS: dict[str, str] = json.loads(os.environ["DATABREW_JOBS"])
ARGUMENTS: dict[str, Any] = {
    "task_id": "run",
    "waiter_delay": 1,
    "retries": 3,
    "retry_delay": timedelta(seconds=1),
}
for fault, job in JOBS.items():
    with DAG(f"brew__{fault}", schedule=None):
        kind = Doomed if fault.startswith("killed") else CleanRoomsDataBrewStartJobOperator
        kind(job_name=job, deferrable=not fault.endswith("_in_worker"), **ARGUMENTS)
