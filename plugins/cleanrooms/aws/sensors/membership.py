"""Wait for the members of a collaboration to join it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.sensors.patient import PatientSensor
from cleanrooms.aws.triggers.membership import CleanRoomsMembersActiveTrigger


class CleanRoomsMembersActiveSensor(PatientSensor[CleanRoomsHook]):
    """Wait until every invited member has joined; members who left or were removed are not waited for.

    :param collaboration_id: the collaboration (templated)
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    aws_hook_class = CleanRoomsHook
    trigger_class = CleanRoomsMembersActiveTrigger
    template_fields: Sequence[str] = aws_template_fields("collaboration_id")

    def __init__(self, *, collaboration_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.collaboration_id = collaboration_id

    @property
    def question(self) -> Mapping[str, Any]:
        """Arguments of the look."""
        return {"collaboration_id": self.collaboration_id}

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"collaboration {self.collaboration_id}"
