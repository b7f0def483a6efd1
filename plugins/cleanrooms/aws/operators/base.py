"""Bases of all operators: which failures are retried, and how those that wait do so."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import TaskDeferralTimeout

from cleanrooms.retry import CLEAN_ROOMS_RETRY_POLICY
from cleanrooms.settings import poll_seconds

if TYPE_CHECKING:
    from airflow.sdk import Context

    from cleanrooms.aws.triggers.polling import PollingTrigger

Hook = TypeVar("Hook", bound=AwsBaseHook)


class CleanRoomsBaseOperator(AwsBaseOperator[Hook], Generic[Hook]):
    """An operator that brings the package's retry policy, unless the task has another."""

    ui_color = "#e3ddf7"

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("retry_policy") is None:  # None is what a mapped task passes
            kwargs["retry_policy"] = CLEAN_ROOMS_RETRY_POLICY
        super().__init__(**kwargs)

    def _hook_settings(self) -> dict[str, Any]:
        """Arguments of another hook, of the same connection."""
        return {
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "config": self.botocore_config,
        }


class DeferrableOperator(CleanRoomsBaseOperator[Hook], Generic[Hook]):
    """An operator that starts something remote and waits for it, in a worker or in the triggerer.

    :param wait_for_completion: wait for the end
    :param waiter_delay: seconds between two looks; default: ``CLEANROOMS_POLL_SECONDS``
    :param waiter_max_attempts: looks before the work is cancelled and the task fails. The product with
        ``waiter_delay`` should stay below ``execution_timeout``; Clean Rooms itself stops after 24 hours
    :param cancel_on_kill: cancel when the task is killed or its waiting ends
    :param deferrable: wait in the triggerer, without a worker slot
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        waiter_delay: int | None = None,
        waiter_max_attempts: int = 2760,
        cancel_on_kill: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = wait_for_completion
        self.waiter_delay = poll_seconds() if waiter_delay is None else waiter_delay
        self.waiter_max_attempts = waiter_max_attempts
        self.cancel_on_kill = cancel_on_kill
        self.deferrable = deferrable

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """As the base does; a deferral that timed out leaves nothing running."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            self._abandon(context, "the task's execution_timeout passed while it was deferred")

    @abstractmethod
    def _abandon(self, context: Context, why: str) -> NoReturn:
        """End the remote work of a task that was deferred, and raise."""

    def _defer(self, trigger: PollingTrigger) -> NoReturn:
        self.defer(trigger=trigger, method_name="execute_complete", timeout=self.execution_timeout)
        raise AssertionError("defer raises")

    def _wait_arguments(self) -> dict[str, Any]:
        """What every trigger takes."""
        return {
            "waiter_delay": self.waiter_delay,
            "waiter_max_attempts": self.waiter_max_attempts,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }
