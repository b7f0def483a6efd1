"""Base of our triggers: look again and again until the wait is over."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, NamedTuple

from airflow.triggers.base import BaseTrigger, TriggerEvent

from cleanrooms.aws.errors import CredentialsExpired
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_aws, masked
from cleanrooms.aws.shared import shared_client
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import CleanRoomsError

KILL_CONFIG = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 2}}


class Seen(NamedTuple):
    """What a look showed: in words, and whether the wait is over."""

    words: str
    over: bool


class PollingTrigger(BaseTrigger):
    """Look until the wait is over; end the remote work when a person ends the task.

    Not built on the provider's waiter trigger: that one polls on at full pace while throttled, does not
    count those polls, ends at the first InternalServerException, begins anew after a restart of the
    triggerer, and its event cannot carry what happened.

    The event has ``status`` (``done``, ``exhausted`` or ``error``) and what :attr:`returned` says; with
    ``error`` also ``message``, ``todo`` and ``permanent``.

    :param own: arguments of the subclass, to be serialised
    :param waiter_delay: seconds between two looks
    :param waiter_max_attempts: looks, and times ``waiter_delay`` seconds, after which to give up
    :param cancel_on_kill: end the remote work when the deferred task is marked or cleared
    :param started_at: epoch seconds; survives a restart of the triggerer, so the wait does not grow
    :param aws_conn_id: Airflow connection
    :param region_name: AWS region
    :param verify: whether or how to verify TLS certificates
    :param botocore_config: settings of the botocore client
    """

    aws_hook_class: ClassVar[Any] = CleanRoomsHook
    operation: ClassVar[str]

    def __init__(
        self,
        own: Mapping[str, Any],
        *,
        waiter_delay: int = 30,
        waiter_max_attempts: int = 2760,
        cancel_on_kill: bool = False,
        started_at: float | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.own = dict(own)
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
                **self.own,
                "waiter_delay": self.waiter_delay,
                "waiter_max_attempts": self.waiter_max_attempts,
                "cancel_on_kill": self.cancel_on_kill,
                "started_at": self.started_at,
                **self._connection,
            },
        )

    def hook(self, **config: Any) -> Any:
        """The hook, as the operator would build it; ``config`` is laid over the client's settings."""
        return self.aws_hook_class(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config={**(self.botocore_config or {}), **config} or None,
        )

    @abstractmethod
    async def look(self, client: Any) -> Seen:
        """Look once."""

    async def cancel(self, client: Any) -> None:
        """The call that ends the remote work; not every wait has some."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is waited for, in words."""

    @property
    def returned(self) -> dict[str, Any]:
        """What every event hands back to the task."""
        return {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event when the wait is over."""
        watch = Watch(self.waiter_delay, self.waiter_max_attempts, self.started_at)
        # Nothing ends at once; and an event before the scheduler has booked the deferral counts as a lost task.
        await asyncio.sleep(max(0.0, self.waiter_delay - watch.elapsed))
        event: TriggerEvent | None
        while True:
            try:
                async with shared_client(self.hook(), self._connection) as client:
                    event = await self._watch(client, watch)
            except CredentialsExpired:
                continue
            except CleanRoomsError as trouble:
                event = self._error(trouble)
            except Exception as error:
                event = await self._stumble(self._meaning(error), watch)
            if event is not None:
                yield event
                return

    async def on_kill(self) -> None:
        """End the remote work: the task was marked failed or success, or cleared, while deferred."""
        if not self.cancel_on_kill:
            return
        try:
            async with await self.hook(**KILL_CONFIG).get_async_conn() as client:
                await self.cancel(client)
        except Exception as error:
            self.log.warning("Could not cancel %s: %s", self.subject, masked(str(error)))
        else:
            self.log.info("Cancelling %s: the task was ended by a person", self.subject)

    async def _watch(self, client: Any, watch: Watch) -> TriggerEvent:
        """Look until there is an event.

        :raises CredentialsExpired: the client is of no use any more
        """
        while True:
            try:
                seen = await self.look(client)
            except Exception as error:
                trouble = self._meaning(error)
                event = await self._stumble(trouble, watch)
                if event is not None:
                    return event
                if isinstance(trouble, CredentialsExpired):
                    raise trouble from error
                continue
            if watch.saw(seen.words):
                self.log.info("The %s is %s after %.0f s", self.subject, seen.words, watch.elapsed)
            if seen.over:
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

    @property
    def _connection(self) -> dict[str, Any]:
        return {
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }

    def _meaning(self, error: Exception) -> CleanRoomsError:
        return from_aws(error, self.operation, self.subject)

    def _event(self, status: str, **more: Any) -> TriggerEvent:
        return TriggerEvent({"status": status, **self.returned, **more})

    def _error(self, trouble: CleanRoomsError) -> TriggerEvent:
        return self._event("error", message=trouble.what, todo=trouble.todo, permanent=trouble.permanent)
