"""Configured tables: which columns of a Glue table collaborations may use at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.access import allowed
from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.catalog import GlueTable, read_table
from sandbox.cleanrooms.intermediate_states import settle
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

_SUMMARY = (
    "id",
    "arn",
    "name",
    "createTime",
    "updateTime",
    "analysisRuleTypes",
    "analysisMethod",
    "selectedAnalysisMethods",
)
_UPDATABLE = ("name", "description", "allowedColumns", "analysisMethod", "selectedAnalysisMethods")


class ConfiguredTables(Room):
    """Operations on configured tables."""

    def create_configured_table(self, caller: Caller, **request: Any) -> Document:
        """Configures a table of the caller's catalog.

        :raises ServiceFault: ResourceNotFoundException when the catalog lacks the table,
            ValidationException for columns that it lacks
        """
        table = _glue_table(caller, request["tableReference"])
        _check_columns(table, request["allowedColumns"])
        _check_methods(request["analysisMethod"], request.get("selectedAnalysisMethods"))
        identifier, created = names.new_id(), names.now()
        body = {
            "id": identifier,
            "arn": names.configured_table_arn(caller.region, caller.account, identifier),
            "name": request["name"],
            "description": request.get("description"),
            "tableReference": request["tableReference"],
            "allowedColumns": request["allowedColumns"],
            "analysisMethod": request["analysisMethod"],
            "selectedAnalysisMethods": request.get("selectedAnalysisMethods"),
            "analysisRuleTypes": [],
            "createTime": created,
            "updateTime": created,
            # What the catalog said last: schemas stay readable when the Glue table is gone.
            "_columns": dict(table.columns),
            "_partitionKeys": dict(table.partition_keys),
        }
        with self.store.transaction():
            used = len(self.store.find("configured_table", owner=caller.account))
            quotas.within(quotas.CONFIGURED_TABLES_PER_ACCOUNT, used + 1, "Configured tables per account")
            self.store.add("configured_table", body, owner=caller.account)
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"configuredTable": public(body)}

    def get_configured_table(self, caller: Caller, **request: Any) -> Document:
        """Shows a configured table to its owner; other members see its schema only."""
        found = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
        return {"configuredTable": public(found)}

    def list_configured_tables(self, caller: Caller, **request: Any) -> Document:
        """Lists the configured tables of the caller's account."""
        mine = self.store.find("configured_table", owner=caller.account)
        shown, more = page(mine, request, f"configured tables {caller.account}")
        return {"configuredTableSummaries": [summary(item, _SUMMARY) for item in shown], **more}

    def update_configured_table(self, caller: Caller, **request: Any) -> Document:
        """Changes name, description, columns, method or the Glue table behind."""
        found = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
        found |= {field: request[field] for field in _UPDATABLE if field in request}
        found["tableReference"] = request.get("tableReference", found["tableReference"])
        table = _glue_table(caller, found["tableReference"])
        _check_columns(table, found["allowedColumns"])
        _check_methods(found["analysisMethod"], found.get("selectedAnalysisMethods"))
        found |= {
            "_columns": dict(table.columns),
            "_partitionKeys": dict(table.partition_keys),
            "updateTime": names.now(),
        }
        self.store.save("configured_table", found)
        return {"configuredTable": public(found)}

    def delete_configured_table(self, caller: Caller, **request: Any) -> Document:
        """Deletes a configured table with its rule; associations stay, but cannot be queried any more."""
        with self.store.transaction():
            found = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
            associated = [
                one["membershipId"]
                for one in self.store.find("configured_table_association", owner=caller.account)
                if one["configuredTableId"] == found["id"]
            ]
            if self.settings.delete_table_in_use == "conflict" and associated:
                message = f"Configured table {found['id']} is associated with a collaboration."
                raise refusals.conflict("CONFIGURED_TABLE", found["id"], "SUBRESOURCES_EXIST", message)
            self.store.remove("configured_table", found["id"])
            self.store.remove("table_rule", found["id"])
            self.store.remove("tags", found["arn"])
        for membership in associated:
            if joined := self.store.get("membership", membership):
                settle(self.store, self.managed, joined["collaborationId"])
        return {}


def _glue_table(caller: Caller, reference: Mapping[str, Any]) -> GlueTable:
    if "glue" not in reference:
        raise refusals.field_invalid("tableReference", "the sandbox configures AWS Glue tables only")
    glue = reference["glue"]
    region = glue.get("region") or caller.region
    place = f"{glue['databaseName']}/{glue['tableName']}"
    arn = f"arn:aws:glue:{region}:{caller.account}:table/{place}"
    if not allowed(caller.principal_arn, "glue:GetTable", arn, region):
        raise refusals.denied(f"{caller.principal_arn} is not authorized to perform glue:GetTable on {arn}.")
    table = read_table(caller.account, caller.region, glue)
    if table is None:
        raise refusals.missing("GLUE_TABLE", place, f"AWS Glue has no table {place} in {region}.")
    return table


def _check_columns(table: GlueTable, columns: Sequence[str]) -> None:
    quotas.within(quotas.COLUMNS_PER_ALLOW_LIST, len(columns), "Columns per allow list")
    unknown = [column for column in columns if column.lower() not in table.all_columns]
    if unknown:
        raise refusals.field_invalid(
            "allowedColumns", f"table {table.database}.{table.name} has no column {', '.join(unknown)}"
        )


def _check_methods(method: str, selected: Sequence[str] | None) -> None:
    if (method == "MULTIPLE") != bool(selected):
        raise refusals.field_invalid("selectedAnalysisMethods", "belongs to analysisMethod MULTIPLE, only")
