"""Run an AWS Glue job that is kept as a config says, and wait for its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from botocore.config import Config
from botocore.exceptions import ClientError

from cleanrooms.aws.hooks.glue_job import CleanRoomsGlueJobHook
from cleanrooms.aws.meaning import masked
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.glue_job import CleanRoomsGlueJobTrigger
from cleanrooms.errors import CleanRoomsError, PermanentError, TransientError

_CAPACITY = ("resource unavailable", "unable to allocate", "concurrent runs", "throttl")
_ENDS = {
    "STOPPED": ("was stopped from outside this task", "Clear the task to run it again."),
    "TIMEOUT": (
        "took longer than the job's timeout",
        "Give it more workers or more time, then clear the task.",
    ),
    "EXPIRED": ("waited too long for capacity", "Clear the task to run it again."),
}


class CleanRoomsGlueJobOperator(WaitingOperator[CleanRoomsGlueJobHook]):
    """Create or update a Glue job, start it and wait; every end but SUCCEEDED fails the task.

    A retry goes on with the run that is in flight, also when the answer to its start was lost: it is known again
    by its arguments, so they should differ from one logical run to the next.

    :param job_name: the job (templated)
    :param definition: the job as CreateJob takes it, without its name; None leaves the job as it is (templated)
    :param arguments: of the run (templated). Glue shows them in its console, its API and CloudTrail: names only
    :return: ``run_id``, ``job_name``, ``status``, ``duration_s``, ``dpu_seconds``
    """

    noun = "Glue job run"
    store_key = "glue_job_run_id"
    running = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
    succeeded = frozenset({"SUCCEEDED"})

    aws_hook_class = CleanRoomsGlueJobHook
    template_fields: Sequence[str] = aws_template_fields("job_name", "definition", "arguments")
    template_fields_renderers = {"definition": "json", "arguments": "json"}  # noqa: RUF012 - as the base has it
    ui_color = "#dff2e1"

    def __init__(
        self,
        *,
        job_name: str,
        definition: Mapping[str, Any] | None = None,
        arguments: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.definition = definition
        self.arguments = arguments

    def _submit(self) -> str:
        if self.definition is not None:
            self._ensure(self.definition)
        # A repetition of a call whose answer was lost would start a second run: it is sent once.
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client: Any = self.hook.get_client_type(
            region_name=self.hook.region_name, config=self.hook.config.merge(once)
        )
        return str(
            client.start_job_run(JobName=self.job_name, Arguments=dict(self.arguments or {}))["JobRunId"]
        )

    def _ensure(self, definition: Mapping[str, Any]) -> None:
        """The job as defined: made where it is not there, updated where it differs."""
        try:
            job = self._client.get_job(JobName=self.job_name)["Job"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            self._client.create_job(Name=self.job_name, **definition)
            self.log.info("Made Glue job %s", self.job_name)
            return
        changed = sorted(field for field, wanted in definition.items() if not _has(job.get(field), wanted))
        if changed:
            self._client.update_job(JobName=self.job_name, JobUpdate=dict(definition))
            self.log.info("Updated Glue job %s: %s", self.job_name, ", ".join(changed))

    def _describe(self, run_id: str) -> Found:
        run = self._client.get_job_run(JobName=self.job_name, RunId=run_id)["JobRun"]
        return {**run, "state": run["JobRunState"]}

    def _lost(self, since: datetime) -> str | None:
        """The newest run of the job since then with our arguments."""
        wanted = dict(self.arguments or {})
        try:
            for page in self._client.get_paginator("get_job_runs").paginate(JobName=self.job_name):
                for run in page["JobRuns"]:
                    ours = wanted.items() <= run.get("Arguments", {}).items()
                    fits = run["JobRunState"] in self.running | self.succeeded
                    if ours and fits and run["StartedOn"] >= since:
                        return str(run["Id"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
        return None

    def _cancel(self, run_id: str) -> None:
        self._client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[run_id])

    def _trigger(self, run_id: str) -> CleanRoomsGlueJobTrigger:
        return CleanRoomsGlueJobTrigger(
            self.job_name, run_id, cancel_on_kill=self.cancel_on_kill, **self._wait_arguments()
        )

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        state, said = found["state"], masked(found.get("ErrorMessage") or "no message")
        why, todo = _ENDS.get(state, (f"ended {state}: {said}", "See the run's log, then clear the task."))
        scarce = state == "EXPIRED" or any(words in said.lower() for words in _CAPACITY)
        kind = TransientError if scarce else PermanentError
        return kind(f"Run {run_id} of {self._subject} {why}.", todo, state=state, run_id=run_id)

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        return {
            "run_id": run_id,
            "job_name": self.job_name,
            "duration_s": found.get("ExecutionTime"),
            "dpu_seconds": found.get("DPUSeconds"),
        }

    @property
    def _client(self) -> Any:
        return self.hook.conn

    @property
    def _subject(self) -> str:
        return f"Glue job {self.job_name}"


def _has(there: Any, wanted: Any) -> bool:
    """Whether what the service shows says what is wanted; it may say more, and takes a role by its name."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_has(there.get(k), v) for k, v in wanted.items())
    if isinstance(there, str) and isinstance(wanted, str):
        return there == wanted or there.endswith(f":role/{wanted}")
    return bool(there == wanted)
