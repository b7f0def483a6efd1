"""The datasets behind the tables of a collaboration, as far as we can see them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook

from cleanrooms.aws.lineage import Dataset, dataset_of

if TYPE_CHECKING:
    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

log = logging.getLogger(__name__)


class Tables:
    """Names of a collaboration's tables, for lineage.

    Our own associations lead to their Glue tables (ListConfiguredTableAssociations, GetConfiguredTable) and
    these to their place in S3 (glue:GetTable). What cannot be seen, a partner's table above all, keeps its
    name in the collaboration.

    :param settings: of other hooks: ``aws_conn_id``, ``region_name``, ``verify``, ``config``
    """

    def __init__(self, hook: CleanRoomsHook, membership_id: str, settings: dict[str, Any]) -> None:
        self._hook = hook
        self._settings = settings
        self._membership = hook.get_membership(membership_id)

    def datasets(self, names: Iterable[str]) -> list[Dataset]:
        """One dataset for each table name."""
        ours = self._associations()
        return [
            self._own(ours[name.lower()], name) if name.lower() in ours else self.shared(name)
            for name in names
        ]

    def of_template(self, template_arn: str) -> list[Dataset]:
        """The datasets of the tables that an analysis template names."""
        template = self._hook.get_analysis_template(self._membership["collaborationId"], template_arn)
        return self.datasets(sorted(template["schema"].get("referencedTables", [])))

    def shared(self, name: str) -> Dataset:
        """A table by its name in the collaboration."""
        region = self._membership["arn"].split(":")[3]
        return Dataset(f"awscleanrooms://{region}", f"{self._membership['collaborationId']}/{name}")

    def _associations(self) -> dict[str, str]:
        """Configured table by the name under which we associated it."""
        try:
            return {one["name"].lower(): one["configuredTableId"] for one in self._listed()}
        except Exception as error:
            log.info("Our tables keep their names of the collaboration: %s", type(error).__name__)
            return {}

    def _listed(self) -> Iterator[dict[str, Any]]:
        paginator: Any = self._hook.client.get_paginator("list_configured_table_associations")
        for page in paginator.paginate(membershipIdentifier=self._membership["id"]):
            yield from page["configuredTableAssociationSummaries"]

    def _own(self, configured: str, name: str) -> Dataset:
        try:
            found = self._hook.client.get_configured_table(configuredTableIdentifier=configured)
            glue: Any = found["configuredTable"]["tableReference"].get("glue")
        except Exception as error:
            log.info("Table %s keeps its name of the collaboration: %s", name, type(error).__name__)
            return self.shared(name)
        if glue is None:
            return self.shared(name)
        _, partition, _, region, account, *_ = self._membership["arn"].split(":")
        region = glue.get("region") or region
        return Dataset(
            f"arn:{partition}:glue:{region}:{account}",
            f"table/{glue['databaseName']}/{glue['tableName']}",
            self._place(region, glue["databaseName"], glue["tableName"]),
        )

    def _place(self, region: str, database: str, table: str) -> tuple[str, str] | None:
        try:
            catalog = GlueCatalogHook(**{**self._settings, "region_name": region})
            location = catalog.get_table_location(database, table)
            return dataset_of(location)[:2] if location else None
        except Exception as error:
            log.info("No place of table %s.%s: %s", database, table, type(error).__name__)
            return None
