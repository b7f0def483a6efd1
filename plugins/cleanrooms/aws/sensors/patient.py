"""Base of the sensors that look at something until nothing lacks any more."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor

from cleanrooms.aws.meaning import from_aws
from cleanrooms.retry import CLEAN_ROOMS_RETRY_POLICY

if TYPE_CHECKING:
    from airflow.sdk import Context

Hook = TypeVar("Hook", bound=AwsBaseHook)


class PatientSensor(AwsBaseSensor[Hook], Generic[Hook]):
    """Pokes in ``reschedule`` mode unless told otherwise, so that a long wait takes no worker slot.

    A look that fails for a passing reason counts as not there yet; any other fails the task at once.
    """

    def __init__(self, *, mode: str = "reschedule", **kwargs: Any) -> None:
        if kwargs.get("retry_policy") is None:  # None is what a mapped task passes
            kwargs["retry_policy"] = CLEAN_ROOMS_RETRY_POLICY
        super().__init__(mode=mode, **kwargs)

    @abstractmethod
    def lacking(self, context: Context) -> str | None:
        """What is not as it should be, in words; None if nothing."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is looked at, in words."""

    def poke(self, context: Context) -> bool:
        """Look once, and log what lacks."""
        try:
            lacking = self.lacking(context)
        except Exception as error:
            trouble = from_aws(error, "Look", self.subject)
            if trouble.permanent:
                raise trouble from error
            lacking = trouble.what
        if lacking:
            self.log.info("Waiting for %s: %s", self.subject, lacking)
        return lacking is None
