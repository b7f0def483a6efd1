"""Wait for all partitions that a query is going to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.sensors.patient import PatientSensor
from cleanrooms.aws.triggers.partitions import PartitionsReadyTrigger


class PartitionsReadySensor(PatientSensor[GlueCatalogHook]):
    """Wait until every expected partition of a Glue table is in the catalog.

    A query over a week of which a night is missing succeeds, costs privacy budget and is wrong. Only the
    catalog is looked at: no row is read.

    :param database: Glue database (templated)
    :param table: Glue table (templated)
    :param partitions: values of the expected partitions: one string for each, or a list where the table has
        several partition keys (templated)
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    aws_hook_class = GlueCatalogHook
    trigger_class = PartitionsReadyTrigger
    template_fields: Sequence[str] = aws_template_fields("database", "table", "partitions")
    ui_color = "#dff2e1"

    def __init__(
        self, *, database: str, table: str, partitions: Sequence[str | Sequence[str]], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.table = table
        self.partitions = partitions

    @property
    def question(self) -> Mapping[str, Any]:
        """Arguments of the look."""
        partitions = [one if isinstance(one, str) else list(one) for one in self.partitions]
        return {"database": self.database, "table": self.table, "partitions": partitions}

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"table {self.database}.{self.table}"
