"""Base of the triggers that wait by a waiter of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import masked

KILL_CONFIG = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 2}}


class WaitingTrigger(AwsBaseWaiterTrigger):
    """Wait for one waiter; the event says that the wait is over, the operator asks how it ended.

    :param run_id: what is waited for, as the event hands it back
    :param fields: arguments of the subclass, to be serialised
    :param waiter_args: of the waiter's operation
    :param cancel_on_kill: end the remote work when a person ends the deferred task
    :param wait: delay, attempts, connection, region, verify and botocore settings
    """

    aws_hook_class: Any = CleanRoomsHook
    waiter: ClassVar[str]
    state: ClassVar[str]

    def __init__(
        self,
        run_id: str,
        fields: Mapping[str, Any],
        waiter_args: Mapping[str, Any],
        cancel_on_kill: bool,
        **wait: Any,
    ) -> None:
        super().__init__(
            serialized_fields={"run_id": run_id, "cancel_on_kill": cancel_on_kill, **fields},
            waiter_name=self.waiter,
            waiter_args=dict(waiter_args),
            failure_message=f"{run_id} did not end well",
            status_message=f"{run_id} is",
            status_queries=[self.state],
            return_key="run_id",
            return_value=run_id,
            **wait,
        )
        self.run_id = run_id
        self.cancel_on_kill = cancel_on_kill

    def hook(self, **config: Any) -> Any:
        """The hook, as the operator would build it; ``config`` is laid over the client's settings."""
        return self.aws_hook_class(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config={**(self.botocore_config or {}), **config} or None,
        )

    async def on_kill(self) -> None:
        """End the remote work: the task was marked failed or success, or cleared, while deferred."""
        if not self.cancel_on_kill:
            return
        try:
            async with await self.hook(**KILL_CONFIG).get_async_conn() as client:
                await self.cancel(client)
        except Exception as error:
            self.log.warning("Could not cancel %s: %s", self.run_id, masked(str(error)))

    async def cancel(self, client: Any) -> None:
        """The call that ends it; not every service has one."""
