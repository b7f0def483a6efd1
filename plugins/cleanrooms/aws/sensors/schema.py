"""Wait for tables of a collaboration to be ready, and say why they are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.sensors.patient import PatientSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsTablesReadySensor(PatientSensor[CleanRoomsHook]):
    """Wait until every named table is READY for a kind of analysis.

    :param collaboration_id: the collaboration (templated)
    :param tables: names of the tables (templated)
    :param analysis_type: DIRECT_ANALYSIS or ADDITIONAL_ANALYSIS
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("collaboration_id", "tables")
    ui_color = "#e3ddf7"

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

    def lacking(self, context: Context) -> str | None:
        """Which tables are not ready, with the service's reasons."""
        schemas, errors = self.hook.get_schemas(self.collaboration_id, self.tables)
        reasons = [f"{name}: {why}" for name, why in errors.items()]
        for name in self.tables:
            if name in schemas:
                reasons += [f"{name}: {why}" for why in _against(schemas[name], self.analysis_type)]
        return "; ".join(reasons) or None

    @property
    def subject(self) -> str:
        """The call and what it is about."""
        return f"collaboration {self.collaboration_id}"


def _against(schema: Mapping[str, Any], analysis: str) -> Iterator[str]:
    """Why a table is not ready; one without any detail about this analysis is not."""
    details = [one for one in schema.get("schemaStatusDetails", []) if one.get("analysisType") == analysis]
    if not details:
        yield f"no status for {analysis}"
    for detail in details:
        if detail["status"] != "READY":
            codes = ", ".join(reason["code"] for reason in detail.get("reasons", []))
            yield f"{detail['status']} ({codes or 'no reason given'})"
