"""Wait for tables of a collaboration to be ready, and say why they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.sensors.patient import PatientSensor
from cleanrooms.aws.triggers.schema import CleanRoomsTablesReadyTrigger


class CleanRoomsTablesReadySensor(PatientSensor[CleanRoomsHook]):
    """Wait until every named table is READY for a kind of analysis.

    :param collaboration_id: the collaboration (templated)
    :param tables: names of the tables (templated)
    :param analysis_type: DIRECT_ANALYSIS or ADDITIONAL_ANALYSIS
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    aws_hook_class = CleanRoomsHook
    trigger_class = CleanRoomsTablesReadyTrigger
    template_fields: Sequence[str] = aws_template_fields("collaboration_id", "tables")

    def __init__(
        self,
        *,
        collaboration_id: str,
        tables: Sequence[str],
        analysis_type: str = "DIRECT_ANALYSIS",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.collaboration_id = collaboration_id
        self.tables = tables
        self.analysis_type = analysis_type

    @property
    def question(self) -> Mapping[str, Any]:
        """Arguments of the look."""
        return {
            "collaboration_id": self.collaboration_id,
            "tables": list(self.tables),
            "analysis_type": self.analysis_type,
        }

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"collaboration {self.collaboration_id}"
