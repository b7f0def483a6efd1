"""Run a DataBrew job so that success means: it succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from botocore.config import Config

from cleanrooms.aws.hooks.databrew import CleanRoomsDataBrewHook
from cleanrooms.aws.meaning import masked
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.databrew import CleanRoomsDataBrewJobTrigger
from cleanrooms.errors import CleanRoomsError, PermanentError


class CleanRoomsDataBrewStartJobOperator(WaitingOperator[CleanRoomsDataBrewHook]):
    """Start a DataBrew job and wait for its run; FAILED, STOPPED and TIMEOUT fail the task.

    The provider's operator calls all three a success.

    :param job_name: the job (templated)
    :return: ``run_id``, ``job_name``, ``status``, ``duration_s``
    """

    noun = "DataBrew job run"
    store_key = "databrew_run_id"
    running = frozenset({"STARTING", "RUNNING", "STOPPING"})
    succeeded = frozenset({"SUCCEEDED"})

    aws_hook_class = CleanRoomsDataBrewHook
    template_fields: Sequence[str] = aws_template_fields("job_name")
    ui_color = "#dff2e1"

    def __init__(self, *, job_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name

    def _submit(self) -> str:
        # A repetition of a call whose answer was lost would start a second run: it is sent once.
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client: Any = self.hook.get_client_type(
            region_name=self.hook.region_name, config=self.hook.config.merge(once)
        )
        return str(client.start_job_run(Name=self.job_name)["RunId"])

    def _describe(self, run_id: str) -> Found:
        answer = self._client.describe_job_run(Name=self.job_name, RunId=run_id)
        return {**answer, "state": answer["State"]}

    def _lost(self, since: datetime) -> str | None:
        """The newest run of the job since then."""
        for page in self._client.get_paginator("list_job_runs").paginate(Name=self.job_name):
            for item in page["JobRuns"]:
                if item["State"] in self.running | self.succeeded and item["StartedOn"] >= since:
                    return str(item["RunId"])
        return None

    def _cancel(self, run_id: str) -> None:
        self._client.stop_job_run(Name=self.job_name, RunId=run_id)

    def _trigger(self, run_id: str) -> CleanRoomsDataBrewJobTrigger:
        return CleanRoomsDataBrewJobTrigger(
            self.job_name, run_id, self.cancel_on_kill, **self._wait_arguments()
        )

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        return PermanentError(
            f"Run {run_id} of {self._subject} ended {found['state']}: "
            f"{masked(found.get('ErrorMessage', 'no message'))}",
            "See the run in the DataBrew console; then clear the task.",
            state=found["state"],
        )

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        return {"run_id": run_id, "job_name": self.job_name, "duration_s": found.get("ExecutionTime")}

    @property
    def _client(self) -> Any:
        return self.hook.conn

    @property
    def _subject(self) -> str:
        return f"DataBrew job {self.job_name}"
