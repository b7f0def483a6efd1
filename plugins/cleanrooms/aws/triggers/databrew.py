"""Wait in the triggerer for a DataBrew job run."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.hooks.databrew import CleanRoomsDataBrewHook
from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsDataBrewJobTrigger(WaitingTrigger):
    """Wait for a job run, and stop it when a person ends the deferred task.

    :param job_name: the job
    :param run_id: the run
    :param cancel_on_kill: whether to stop it
    :param wait: see :class:`PollingTrigger`
    """

    aws_hook_class = CleanRoomsDataBrewHook
    operation = "DescribeJobRun"
    describe = "describe_job_run"
    state = ("State",)
    running = frozenset({"STARTING", "RUNNING", "STOPPING"})

    def __init__(self, job_name: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        arguments = {"Name": job_name, "RunId": run_id}
        super().__init__(run_id, {"job_name": job_name}, arguments, cancel_on_kill=cancel_on_kill, **wait)
        self.job_name = job_name

    async def cancel(self, client: Any) -> None:
        """Ask for the run to be stopped."""
        await client.stop_job_run(**self.arguments)

    @property
    def subject(self) -> str:
        """Job and run."""
        return f"run {self.run_id} of DataBrew job {self.job_name}"
