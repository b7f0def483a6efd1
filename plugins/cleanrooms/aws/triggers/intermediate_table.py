"""Wait in the triggerer for the query that fills an intermediate table."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsPopulationTrigger(WaitingTrigger):
    """Wait for the protected query of a population, and cancel it when a person ends the deferred task.

    :param membership_id: our own membership
    :param run_id: the query
    :param cancel_on_kill: whether to cancel
    :param wait: see :class:`WaitingTrigger`
    """

    waiter = "protected_query_complete"
    state = "protectedQuery.status"

    def __init__(self, membership_id: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        self.arguments = {"membershipIdentifier": membership_id, "protectedQueryIdentifier": run_id}
        super().__init__(run_id, {"membership_id": membership_id}, self.arguments, cancel_on_kill, **wait)

    async def cancel(self, client: Any) -> None:
        """Ask for the query to be cancelled."""
        await client.update_protected_query(**self.arguments, targetStatus="CANCELLED")
