"""Intermediate tables: a stored query whose result is kept in the collaboration for later queries.

Source: User Guide, "Intermediate tables in AWS Clean Rooms" and its sub-pages; what they leave open is in
``docs/fidelity.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.associations import associations_in
from sandbox.cleanrooms.base_tables import check_columns, dependencies_of
from sandbox.cleanrooms.engine.hive import duckdb_type
from sandbox.cleanrooms.intermediate_states import (
    DEFAULT_RETENTION_DAYS,
    KIND,
    RULE,
    STARTED,
    VERSION,
    children_of,
    state_of,
    versions_of,
)
from sandbox.cleanrooms.intermediate_table import TYPE, columns_of
from sandbox.cleanrooms.outputs import Outputs
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.queries import Queries
from sandbox.cleanrooms.room import CAN_QUERY, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.submission import Judged, judge, split
from sandbox.cleanrooms.table_names import check_free, usable_name
from sandbox.wire import Caller

_SUMMARY = (
    "id",
    "arn",
    "name",
    "description",
    "membershipArn",
    "membershipId",
    "collaborationArn",
    "collaborationId",
    "createTime",
    "updateTime",
    "retentionInDays",
)
_ACTIVE_VERSION = (
    "analysisId",
    "analysisType",
    "kmsKeyArn",
    "parameters",
    "inheritedConstraints",
    "expirationTime",
)
# What depends on the moment of the population rather than on the query that is stored.
_LATER = frozenset({"PARAMETERS", "ACCESS_BUDGET", "DP_BUDGET_EXHAUSTED", "DP_NO_BUDGET"})


class IntermediateTables(Queries):
    """Operations on intermediate tables."""

    def create_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Stores a query; there are no rows before it is populated. The name becomes lower case.

        :raises ServiceFault: AccessDeniedException without CAN_QUERY; ConflictException for a name that is
            taken; ValidationException for a query that breaks a rule which is not left for later
        """
        membership = self._querying_membership(caller, request)
        collaboration = self.collaboration_by_id(membership["collaborationId"])
        name = usable_name(request["name"])
        stored = request["populationAnalysisConfiguration"]["sqlParameters"]
        nowhere = Outputs({"intermediateTable": {}}, (), ())
        judged = self._judged(caller, collaboration, stored, nowhere, caller.account)
        _raise_now(judged)
        dependencies, bases = dependencies_of(judged.used)
        with self.store.transaction():
            membership = self._querying_membership(caller, request)
            check_free(self, collaboration["id"], name, associations_in(self, collaboration["id"]))
            mine = self.store.find(KIND, parent=membership["id"])
            quotas.within(
                quotas.INTERMEDIATE_TABLES_PER_MEMBERSHIP, len(mine) + 1, "Intermediate tables per membership"
            )
            identifier, created = names.new_id(), names.now()
            body = {
                "id": identifier,
                "arn": names.child_arn(membership["arn"], "intermediatetable", identifier),
                "name": name,
                "description": request.get("description"),
                "membershipArn": membership["arn"],
                "membershipId": membership["id"],
                "collaborationArn": membership["collaborationArn"],
                "collaborationId": collaboration["id"],
                "createTime": created,
                "updateTime": created,
                "kmsKeyArn": request.get("kmsKeyArn"),
                "populationAnalysisConfiguration": request["populationAnalysisConfiguration"],
                "retentionInDays": request.get("retentionInDays", DEFAULT_RETENTION_DAYS),
                "tableDependencies": dependencies,
                "_bases": bases,
                "_types": {},
                "_closed": None,
            }
            self.store.add(KIND, body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"intermediateTable": self._view(body)}

    def get_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Shows a table to its owner, with the constraints that its active version inherited."""
        return {"intermediateTable": self._view(self._own_table(caller, request))}

    def list_intermediate_tables(self, caller: Caller, **request: Any) -> Document:
        """Lists the tables of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find(KIND, parent=membership["id"])
        shown, more = page(mine, request, f"intermediate tables {membership['id']}")
        return {"intermediateTableSummaries": [self._summary(one) for one in shown], **more}

    def update_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Changes description, key and the types of columns that exist.

        :raises ServiceFault: ValidationException for a column that is not there, or a type that is not known
        """
        with self.store.transaction():
            found = self._own_table(caller, request)
            found |= {field: request[field] for field in ("description", "kmsKeyArn") if field in request}
            known = columns_of(found, state_of(self.store, found))
            types = {column["name"].lower(): column["type"].lower() for column in request.get("columns", [])}
            _check_types(known, types)
            found["_types"] = {**found["_types"], **types}
            found["updateTime"] = names.now()
            self.store.save(KIND, found)
        return {"intermediateTable": self._view(found)}

    def delete_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Deletes a table with its rule, its versions and its rows; one that is gone already does no harm.

        :raises ServiceFault: ConflictException while another table's query reads it, or while it is populated
        """
        membership = self.membership_of(caller, request["membershipIdentifier"])
        with self.store.transaction():
            found = self.store.get(KIND, request["intermediateTableIdentifier"])
            if found is None or found["membershipId"] != membership["id"]:
                return {}
            versions = versions_of(self.store, found)
            if children := children_of(self.store, found):
                listed = ", ".join(child["name"] for child in children)
                message = f"Intermediate table {found['name']} is read by {listed}; delete these first."
                raise refusals.conflict(KIND, found["id"], "SUBRESOURCES_EXIST", message)
            check_idle(found, versions)
            for version in versions:
                self.store.remove(VERSION, version["id"])
            self.store.remove(RULE, found["id"])
            self.store.remove(KIND, found["id"])
            self.store.remove("tags", found["arn"])
        for version in versions:
            self.managed.drop(version["id"])
        return {}

    def _querying_membership(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.active_membership_of(caller, request["membershipIdentifier"])
        if CAN_QUERY not in membership["memberAbilities"]:
            raise refusals.denied(f"Member {caller.account} does not have the ability CAN_QUERY.")
        return membership

    def _own_table(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["intermediateTableIdentifier"]
        found = self.store.get(KIND, identifier)
        if found is None or found["membershipId"] != membership["id"]:
            raise refusals.missing("intermediate table", identifier)
        return found

    def _judged(
        self,
        caller: Caller,
        collaboration: Document,
        parameters: Mapping[str, Any],
        outputs: Outputs,
        payer: str,
    ) -> Judged:
        given = {name: value for name, value in parameters.items() if value}
        return judge(self, collaboration, caller.account, given, outputs, payer, populates=True)

    def _view(self, table: Document) -> Document:
        state = state_of(self.store, table)
        columns = columns_of(table, state)
        shown = public(table) | {
            "status": state.status,
            "analysisRuleTypes": self._rule_types(table),
            "childResources": [self._child(one) for one in children_of(self.store, table)],
        }
        if state.reason:
            shown["statusReason"] = state.reason
        if state.active:
            version = {"versionId": state.active["id"], **summary(state.active, _ACTIVE_VERSION)}
            shown["intermediateTableVersion"] = version
            listed = [{"name": name, "type": kind} for name, kind in columns.items()]
            shown["schema"] = {"columns": listed}
        return shown

    def _summary(self, table: Document) -> Document:
        return summary(table, _SUMMARY) | {
            "status": state_of(self.store, table).status,
            "analysisRuleTypes": self._rule_types(table),
        }

    def _rule_types(self, table: Document) -> list[str]:
        return ["CUSTOM"] if self.store.get(RULE, table["id"]) else []

    def _child(self, table: Document) -> Document:
        return {
            "resourceId": table["id"],
            "resourceType": TYPE,
            "resourceName": table["name"],
            "ownerAccountId": table["_owner"],
            "resourceStatus": state_of(self.store, table).status,
        }


def _raise_now(judged: Judged) -> None:
    """Refuses a query that could never be run, before anything is stored."""
    lasting = [one for one in judged.verdict.violations if one.code not in _LATER]
    fault, refusal = split(lasting)
    if fault is not None:
        raise fault
    if refusal:
        raise refusals.query_refused(refusal)
    check_columns(judged.verdict.output_columns)


def _check_types(known: Mapping[str, str], types: Mapping[str, str]) -> None:
    unknown = sorted(set(types) - set(known))
    if unknown:
        raise refusals.field_invalid("columns", f"the table has no column {', '.join(unknown)}")
    for name, kind in types.items():
        try:
            duckdb_type(kind)
        except ValueError:
            raise refusals.field_invalid("columns", f"the type of {name} is not known") from None


def check_idle(table: Document, versions: Sequence[Document]) -> None:
    """Lets pass a table that is not being populated.

    :raises ServiceFault: ConflictException
    """
    if any(version["status"] == STARTED for version in versions):
        message = f"Intermediate table {table['name']} is being populated; wait for the query, or cancel it."
        raise refusals.conflict(KIND, table["id"], "INVALID_STATE", message)
