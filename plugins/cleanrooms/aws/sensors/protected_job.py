"""Wait for a protected job that another task or system started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.operators.protected_job import job_error
from cleanrooms.aws.sensors.patient import DeferrableSensor
from cleanrooms.aws.triggers.protected_job import CleanRoomsProtectedJobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsProtectedJobSensor(DeferrableSensor[CleanRoomsHook]):
    """Wait for a protected job to succeed; any other end fails the task at once. Never cancels it.

    :param membership_id: our own membership (templated)
    :param job_id: the job (templated)
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    aws_hook_class = CleanRoomsHook
    trigger_class = CleanRoomsProtectedJobTrigger
    template_fields: Sequence[str] = aws_template_fields("membership_id", "job_id")

    def __init__(self, *, membership_id: str, job_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.job_id = job_id

    def lacking(self, context: Context) -> str | None:
        """The job's status, unless it is SUCCESS.

        :raises CleanRoomsError: it ended otherwise
        """
        job = self.hook.client.get_protected_job(
            membershipIdentifier=self.membership_id, protectedJobIdentifier=self.job_id
        )["protectedJob"]
        if job["status"] in ("FAILED", "CANCELLED"):
            raise job_error(self.job_id, job)
        return None if job["status"] == "SUCCESS" else f"it is {job['status']}"

    def trigger(self, **wait: Any) -> CleanRoomsProtectedJobTrigger:
        """The operator's trigger, which cancels nothing here."""
        return CleanRoomsProtectedJobTrigger(self.membership_id, self.job_id, cancel_on_kill=False, **wait)

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"protected job {self.job_id}"
