"""Schemas: what members see of each other's tables, and whether queries may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.associations import associations_in
from sandbox.cleanrooms.budget_templates import private_template
from sandbox.cleanrooms.intermediate_table import TYPE, IntermediateTable, intermediate_tables_in
from sandbox.cleanrooms.mapped_tables import MappedTable, mapped_tables_in
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.readiness import status_details
from sandbox.cleanrooms.room import Room, summary
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable
from sandbox.wire import Caller

_SUMMARY = (
    "name",
    "type",
    "creatorAccountId",
    "createTime",
    "updateTime",
    "collaborationId",
    "collaborationArn",
    "analysisRuleTypes",
    "analysisMethod",
    "resourceArn",
    "selectedAnalysisMethods",
)


class Schemas(Room):
    """Operations on schemas and on the rules that come with them."""

    def list_schemas(self, caller: Caller, **request: Any) -> Document:
        """Lists the tables of all active members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        wanted = request.get("schemaType")
        found = [
            summary(self._schema(collaboration, table), _SUMMARY) | {"_seq": table.association["_seq"]}
            for table in self._tables(collaboration)
            if wanted in (None, _type(table))
        ]
        ordered = sorted(found, key=lambda item: item["_seq"])
        shown, more = page(ordered, request, f"schemas {collaboration['id']} {wanted}")
        return {"schemaSummaries": [summary(item, _SUMMARY) for item in shown], **more}

    def get_schema(self, caller: Caller, **request: Any) -> Document:
        """Shows one table's columns and its readiness."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        return {"schema": self._schema(collaboration, self._table(collaboration, request["name"]))}

    def batch_get_schema(self, caller: Caller, **request: Any) -> Document:
        """Shows several tables; those that do not exist are listed under ``errors``."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        tables = {table.name: table for table in self._tables(collaboration)}
        found = [name for name in request["names"] if name.lower() in tables]
        errors = [
            {"name": name, "code": "ResourceNotFoundException", "message": "The schema was not found."}
            for name in request["names"]
            if name not in found
        ]
        return {
            "schemas": [self._schema(collaboration, tables[name.lower()]) for name in found],
            "errors": errors,
        }

    def get_schema_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Shows a table's rule, its collaboration rule and both as one."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        table = self._table(collaboration, request["name"])
        rule = _rule(collaboration, table, request["type"])
        if rule is None:
            message = f"Schema {table.name} has no analysis rule of type {request['type']}."
            raise refusals.missing("schema analysis rule", request["name"], message)
        return {"analysisRule": rule}

    def batch_get_schema_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Shows several rules; those that do not exist are listed under ``errors``."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        tables = {table.name: table for table in self._tables(collaboration)}
        found, errors = [], []
        for wanted in request["schemaAnalysisRuleRequests"]:
            table = tables.get(wanted["name"].lower())
            if table and (rule := _rule(collaboration, table, wanted["type"])):
                found.append(rule)
            else:
                message = "The analysis rule was not found."
                errors.append({**wanted, "code": "ResourceNotFoundException", "message": message})
        return {"analysisRules": found, "errors": errors}

    def _schema(self, collaboration: Document, table: AssociatedTable) -> Document:
        catalog = table.catalog()
        allowed = {column.lower() for column in table.configured["allowedColumns"]}
        return {
            "name": table.name,
            "type": _type(table),
            "description": table.association.get("description") or "",
            "creatorAccountId": table.owner,
            "collaborationId": collaboration["id"],
            "collaborationArn": collaboration["arn"],
            "columns": _columns({name: kind for name, kind in catalog.columns.items() if name in allowed}),
            "partitionKeys": _columns(catalog.partition_keys),
            "analysisRuleTypes": [table.rule["type"]] if table.rule else [],
            "analysisMethod": table.configured["analysisMethod"],
            "selectedAnalysisMethods": table.configured.get("selectedAnalysisMethods"),
            "createTime": table.association["createTime"],
            "updateTime": table.association["updateTime"],
            "schemaStatusDetails": status_details(
                table, private_budget=private_template(self, collaboration["id"]) is not None
            ),
            "resourceArn": table.association["arn"],
            "schemaTypeProperties": _properties(table),
        }

    def _tables(self, collaboration: Document) -> list[AssociatedTable]:
        found = [AssociatedTable.load(self.store, one) for one in associations_in(self, collaboration["id"])]
        mapped = mapped_tables_in(self, collaboration["id"])
        cached = intermediate_tables_in(self.store, collaboration["id"])
        return [table for table in [*found, *mapped, *cached] if table is not None]

    def _table(self, collaboration: Document, name: str) -> AssociatedTable:
        for table in self._tables(collaboration):
            if table.name == name.lower():
                return table
        raise refusals.missing("schema", name)


def _type(table: AssociatedTable) -> str:
    if isinstance(table, IntermediateTable):
        return TYPE
    return "ID_MAPPING_TABLE" if isinstance(table, MappedTable) else "TABLE"


def _properties(table: AssociatedTable) -> Document:
    identifier = table.association["id"]
    if isinstance(table, IntermediateTable):
        return {"intermediateTable": {"intermediateTableId": identifier}}
    if isinstance(table, MappedTable):
        sources = table.association["inputReferenceProperties"]["idMappingTableInputSource"]
        return {"idMappingTable": {"idMappingTableInputSource": sources, "idMappingTableId": identifier}}
    return {"configuredTableAssociation": {"configuredTableAssociationId": identifier}}


def _columns(types: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in types.items()]


def _rule(collaboration: Document, table: AssociatedTable, kind: str) -> Document | None:
    if table.rule is None or table.rule["type"] != kind:
        return None
    return {
        "collaborationId": collaboration["id"],
        "type": kind,
        "name": table.name,
        "createTime": table.rule["createTime"],
        "updateTime": table.rule["updateTime"],
        "policy": table.shown_policy,
        "collaborationPolicy": _collaboration_policy(table),
        "consolidatedPolicy": _consolidated(table) if table.association_rule else None,
    }


def _collaboration_policy(table: AssociatedTable) -> Mapping[str, Any] | None:
    """An intermediate table has no rule beside its own."""
    if table.association_rule is None or isinstance(table, IntermediateTable):
        return None
    return dict(table.association_rule["policy"])


def _consolidated(table: AssociatedTable) -> Document:
    """The table's policy with what the collaboration rule adds: receivers and additional analyses."""
    assert table.rule is not None
    ((member, policy),) = table.rule["policy"]["v1"].items()
    return {"v1": {member: {**policy, **(table.association_policy or {})}}}
