"""Wait for a protected job that another task or system started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.operators.protected_job import job_error
from cleanrooms.aws.sensors.patient import PatientSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsProtectedJobSensor(PatientSensor[CleanRoomsHook]):
    """Wait for a protected job to succeed; any other end fails the task at once.

    :param membership_id: our own membership (templated)
    :param job_id: the job (templated)
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "job_id")
    ui_color = "#e3ddf7"

    def __init__(self, *, membership_id: str, job_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.job_id = job_id

    def lacking(self, context: Context) -> str | None:
        """The job's status, unless it is SUCCESS.

        :raises CleanRoomsError: it ended otherwise
        """
        client: Any = self.hook.conn
        job = client.get_protected_job(
            membershipIdentifier=self.membership_id, protectedJobIdentifier=self.job_id
        )["protectedJob"]
        if job["status"] in ("FAILED", "CANCELLED"):
            raise job_error(self.job_id, job)
        return None if job["status"] == "SUCCESS" else f"it is {job['status']}"

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"protected job {self.job_id}"
