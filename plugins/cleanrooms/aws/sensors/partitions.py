"""Wait for all partitions that a query is going to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.sensors.patient import PatientSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class PartitionsReadySensor(PatientSensor[GlueCatalogHook]):
    """Wait until every expected partition of a Glue table is in the catalog.

    A query over a week of which a night is missing succeeds, costs privacy budget and is wrong. Only the
    catalog is looked at: no row is read.

    :param database: Glue database (templated)
    :param table: Glue table (templated)
    :param partitions: values of the expected partitions: one string for each, or a list where the table has
        several partition keys (templated)
    """

    aws_hook_class = GlueCatalogHook
    template_fields: Sequence[str] = aws_template_fields("database", "table", "partitions")
    ui_color = "#dff2e1"

    def __init__(
        self, *, database: str, table: str, partitions: Sequence[str | Sequence[str]], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.table = table
        self.partitions = partitions

    def lacking(self, context: Context) -> str | None:
        """Which partitions are not there, the first few by name."""
        client: Any = self.hook.conn
        pages = client.get_paginator("get_partitions").paginate(
            DatabaseName=self.database, TableName=self.table, ExcludeColumnSchema=True
        )
        there = {tuple(item["Values"]) for page in pages for item in page["Partitions"]}
        missing = [values for values in _expected(self.partitions) if values not in there]
        if not missing:
            return None
        named = ", ".join("/".join(values) for values in missing[:5])
        return f"{len(missing)} partitions are missing: {named}" + (" …" if len(missing) > 5 else "")

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"table {self.database}.{self.table}"


def _expected(partitions: Iterable[str | Sequence[str]]) -> list[tuple[str, ...]]:
    return [(one,) if isinstance(one, str) else tuple(one) for one in partitions]
