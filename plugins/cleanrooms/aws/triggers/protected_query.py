"""Wait in the triggerer for a protected query."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from cleanrooms.aws.errors import CredentialsExpired
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_aws, masked
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import CleanRoomsError

KILL_CONFIG = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 2}}


class CleanRoomsProtectedQueryTrigger(BaseTrigger):
    """Poll GetProtectedQuery until the query ends; cancel it when a person ends the task.

    Not built on the provider's waiter trigger: that one polls on at full pace while throttled, does not
    count those polls, ends at the first InternalServerException, and its event cannot carry what happened.

    The event has ``status`` (``done``, ``exhausted`` or ``error``), ``query_id`` and ``adopted``; with
    ``error`` also ``message``, ``todo`` and ``permanent``.

    :param membership_id: our membership
    :param query_id: the query to wait for
    :param adopted: the task took this query up from an earlier try (handed back in the event)
    :param waiter_delay: seconds between two looks
    :param waiter_max_attempts: looks, and times ``waiter_delay`` seconds, after which to give up
    :param cancel_on_kill: cancel the query when the deferred task is marked or cleared
    :param started_at: epoch seconds; survives a restart of the triggerer, so the wait does not grow
    :param aws_conn_id: Airflow connection
    :param region_name: AWS region
    :param verify: whether or how to verify TLS certificates
    :param botocore_config: settings of the botocore client
    """

    def __init__(
        self,
        membership_id: str,
        query_id: str,
        adopted: bool = False,
        waiter_delay: int = 30,
        waiter_max_attempts: int = 2760,
        cancel_on_kill: bool = True,
        started_at: float | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.membership_id = membership_id
        self.query_id = query_id
        self.adopted = adopted
        self.waiter_delay = waiter_delay
        self.waiter_max_attempts = waiter_max_attempts
        self.cancel_on_kill = cancel_on_kill
        self.started_at = time.time() if started_at is None else started_at
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and every argument."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "membership_id": self.membership_id,
                "query_id": self.query_id,
                "adopted": self.adopted,
                "waiter_delay": self.waiter_delay,
                "waiter_max_attempts": self.waiter_max_attempts,
                "cancel_on_kill": self.cancel_on_kill,
                "started_at": self.started_at,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "botocore_config": self.botocore_config,
            },
        )

    def hook(self, **config: Any) -> CleanRoomsHook:
        """The hook, as the operator would build it; ``config`` is laid over the client's settings."""
        return CleanRoomsHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config={**(self.botocore_config or {}), **config} or None,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event when the query has ended or the wait is over."""
        watch = Watch(self.waiter_delay, self.waiter_max_attempts, self.started_at)
        # No query ends at once; and an event before the scheduler has booked the deferral counts as a lost task.
        await asyncio.sleep(max(0.0, self.waiter_delay - watch.elapsed))
        while True:
            try:
                async with await self.hook().get_async_conn() as client:
                    event = await self._watch(client, watch)
            except CleanRoomsError as trouble:
                event = self._error(trouble)
            except Exception as error:
                event = await self._stumble(from_aws(error, "GetProtectedQuery", self._subject), watch)
            if event is not None:
                yield event
                return

    async def on_kill(self) -> None:
        """Cancel the query: the task was marked failed or success, or cleared, while deferred."""
        if not self.cancel_on_kill:
            return
        try:
            async with await self.hook(**KILL_CONFIG).get_async_conn() as client:
                await client.update_protected_query(
                    membershipIdentifier=self.membership_id,
                    protectedQueryIdentifier=self.query_id,
                    targetStatus="CANCELLED",
                )
        except Exception as error:
            self.log.warning("Could not cancel query %s: %s", self.query_id, masked(str(error)))
        else:
            self.log.info("Cancelling query %s: the task was ended by a person", self.query_id)

    async def _watch(self, client: Any, watch: Watch) -> TriggerEvent | None:
        """Poll until there is an event; None when the client's credentials ran out."""
        while True:
            try:
                answer = await client.get_protected_query(
                    membershipIdentifier=self.membership_id, protectedQueryIdentifier=self.query_id
                )
            except Exception as error:
                trouble = from_aws(error, "GetProtectedQuery", self._subject)
                event = await self._stumble(trouble, watch)
                if event is not None or isinstance(trouble, CredentialsExpired):
                    return event
                continue
            status = answer["protectedQuery"]["status"]
            if watch.saw(status):
                self.log.info("Query %s is %s after %.0f s", self.query_id, status, watch.elapsed)
            if status in CleanRoomsHook.TERMINAL_STATES:
                return self._event("done")
            if watch.exhausted:
                return self._event("exhausted")
            await asyncio.sleep(watch.pause())

    async def _stumble(self, trouble: CleanRoomsError, watch: Watch) -> TriggerEvent | None:
        if trouble.permanent:
            return self._error(trouble)
        self.log.warning("%s", trouble.what)
        watch.stumbled()
        if watch.exhausted:
            return self._event("exhausted")
        await asyncio.sleep(watch.pause())
        return None

    def _event(self, status: str, **more: Any) -> TriggerEvent:
        return TriggerEvent({"status": status, "query_id": self.query_id, "adopted": self.adopted, **more})

    def _error(self, trouble: CleanRoomsError) -> TriggerEvent:
        return self._event("error", message=trouble.what, todo=trouble.todo, permanent=trouble.permanent)

    @property
    def _subject(self) -> str:
        return f"query {self.query_id} of membership {self.membership_id}"
