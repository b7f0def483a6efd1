"""Wait in the triggerer for the run of a Glue job."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.hooks.glue_job import CleanRoomsGlueJobHook
from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsGlueJobTrigger(WaitingTrigger):
    """Wait for a job's run, and stop it when a person ends the deferred task.

    :param job_name: the job
    :param run_id: the run
    :param cancel_on_kill: whether to stop it
    :param wait: see :class:`PollingTrigger`
    """

    aws_hook_class = CleanRoomsGlueJobHook
    operation = "GetJobRun"
    describe = "get_job_run"
    state = ("JobRun", "JobRunState")
    running = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})

    def __init__(self, job_name: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        arguments = {"JobName": job_name, "RunId": run_id}
        super().__init__(run_id, {"job_name": job_name}, arguments, cancel_on_kill=cancel_on_kill, **wait)
        self.job_name = job_name

    async def cancel(self, client: Any) -> None:
        """Ask for the run to be stopped."""
        await client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id])

    @property
    def subject(self) -> str:
        """Job and run."""
        return f"run {self.run_id} of Glue job {self.job_name}"
