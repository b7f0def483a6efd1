"""Wait for the members of a collaboration to join it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import AirflowSensorTimeout

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.triggers.membership import CleanRoomsMembersActiveTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

GONE = ("LEFT", "REMOVED")


class CleanRoomsMembersActiveSensor(AwsBaseSensor[CleanRoomsHook]):
    """Wait until every invited member has joined; members who left or were removed are not waited for.

    :param collaboration_id: the collaboration (templated)
    :param deferrable: wait in the triggerer, without a worker slot; ``poke_interval`` and ``timeout`` apply
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("collaboration_id")
    ui_color = "#e3ddf7"

    def __init__(
        self,
        *,
        collaboration_id: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.collaboration_id = collaboration_id
        self.deferrable = deferrable

    def poke(self, context: Context) -> bool:
        """Look once, and name who is missing."""
        try:
            members = self.hook.list_members(self.collaboration_id)
        except Exception as error:
            trouble = from_aws(error, "ListMembers", f"collaboration {self.collaboration_id}")
            if trouble.permanent:
                raise trouble from error
            self.log.warning("%s", trouble.what)
            return False
        present = [member for member in members if member["status"] not in GONE]
        missing = [member["accountId"] for member in present if member["status"] != "ACTIVE"]
        if missing:
            self.log.info("Collaboration %s waits for %s", self.collaboration_id, ", ".join(missing))
        return bool(present) and not missing

    def execute(self, context: Context) -> Any:
        """Poke, or look once and defer."""
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return None
        delay = max(1, int(self.poke_interval))
        return self.defer(
            trigger=CleanRoomsMembersActiveTrigger(
                collaboration_id=self.collaboration_id,
                waiter_delay=delay,
                waiter_max_attempts=max(1, int(self.timeout // delay)),
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Fail unless all are there; the last look says who is missing."""
        event = validate_execute_complete_event(event)
        if event["status"] != "success" and not self.poke(context):
            raise AirflowSensorTimeout(
                f"Collaboration {self.collaboration_id}: not every member joined in time."
            )
