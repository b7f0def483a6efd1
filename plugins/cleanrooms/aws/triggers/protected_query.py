"""Wait in the triggerer for a protected query."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.triggers.polling import PollingTrigger, Seen


class CleanRoomsProtectedQueryTrigger(PollingTrigger):
    """Poll GetProtectedQuery until the query ends; cancel it when a person ends the task.

    The event hands back ``query_id`` and ``adopted``.

    :param membership_id: our membership
    :param query_id: the query to wait for
    :param adopted: the task took this query up from an earlier try (handed back in the event)
    :param cancel_on_kill: cancel the query when the deferred task is marked or cleared
    :param wait: see :class:`PollingTrigger`
    """

    operation = "GetProtectedQuery"

    def __init__(
        self,
        membership_id: str,
        query_id: str,
        adopted: bool = False,
        cancel_on_kill: bool = True,
        **wait: Any,
    ) -> None:
        own = {"membership_id": membership_id, "query_id": query_id, "adopted": adopted}
        super().__init__(own, cancel_on_kill=cancel_on_kill, **wait)
        self.membership_id = membership_id
        self.query_id = query_id
        self.adopted = adopted

    async def look(self, client: Any) -> Seen:
        """The query's status."""
        status = (await client.get_protected_query(**self._query))["protectedQuery"]["status"]
        return Seen(status, status in CleanRoomsHook.TERMINAL_STATES)

    async def cancel(self, client: Any) -> None:
        """Ask for the query to be cancelled."""
        await client.update_protected_query(**self._query, targetStatus="CANCELLED")

    @property
    def subject(self) -> str:
        """The query."""
        return f"query {self.query_id} of membership {self.membership_id}"

    @property
    def returned(self) -> dict[str, Any]:
        """What the operator goes on with."""
        return {"query_id": self.query_id, "adopted": self.adopted}

    @property
    def _query(self) -> dict[str, str]:
        return {"membershipIdentifier": self.membership_id, "protectedQueryIdentifier": self.query_id}
