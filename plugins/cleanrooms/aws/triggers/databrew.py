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
    :param wait: see :class:`WaitingTrigger`
    """

    aws_hook_class = CleanRoomsDataBrewHook
    waiter = "job_run_succeeded"
    state = "State"

    def __init__(self, job_name: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        self.arguments = {"Name": job_name, "RunId": run_id}
        super().__init__(run_id, {"job_name": job_name}, self.arguments, cancel_on_kill, **wait)

    async def cancel(self, client: Any) -> None:
        """Ask for the run to be stopped."""
        await client.stop_job_run(**self.arguments)
