"""Wait in the triggerer for a protected job."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsProtectedJobTrigger(WaitingTrigger):
    """Wait for a protected job, and cancel it when a person ends the deferred task.

    :param membership_id: our own membership
    :param run_id: the job
    :param cancel_on_kill: whether to cancel
    :param wait: see :class:`WaitingTrigger`
    """

    waiter = "protected_job_complete"
    state = "protectedJob.status"

    def __init__(self, membership_id: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        self.arguments = {"membershipIdentifier": membership_id, "protectedJobIdentifier": run_id}
        super().__init__(run_id, {"membership_id": membership_id}, self.arguments, cancel_on_kill, **wait)

    async def cancel(self, client: Any) -> None:
        """Ask for the job to be cancelled."""
        await client.update_protected_job(**self.arguments, targetStatus="CANCELLED")
