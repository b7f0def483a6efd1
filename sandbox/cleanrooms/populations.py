"""Filling intermediate tables: versions, and the data providers' veto."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.base_tables import new_version
from sandbox.cleanrooms.intermediate_states import (
    DISALLOWED,
    KIND,
    REMOVED,
    descendants_of,
    settle,
    state_of,
    tables_in,
    versions_of,
)
from sandbox.cleanrooms.intermediate_tables import IntermediateTables, check_idle
from sandbox.cleanrooms.outputs import Outputs
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.payers import payer_of_query
from sandbox.cleanrooms.queries import Submitted
from sandbox.cleanrooms.room import summary
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

_VERSION = (
    "tableId",
    "createTime",
    "analysisId",
    "status",
    "analysisType",
    "kmsKeyArn",
    "expirationTime",
)


class Populations(IntermediateTables):
    """Operations on the rows of intermediate tables."""

    def populate_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Runs the stored query; its result is a new version, and the one before it stays until then.

        :raises ServiceFault: as StartProtectedQuery; ConflictException while it is populated already, or when
            a data provider or the loss of a base table has closed it
        """
        membership = self._querying_membership(caller, request)
        collaboration = self.collaboration_by_id(membership["collaborationId"])
        table = self._own_table(caller, request)
        self._check_open(table)
        parameters = dict(table["populationAnalysisConfiguration"]["sqlParameters"])
        if request.get("parameters"):
            parameters["parameters"] = request["parameters"]
        payer = payer_of_query(collaboration, caller.account, request.get("analysisPayerAccountId"))
        place = {field: table[field] for field in ("id", "arn", "name")}
        outputs = Outputs({"intermediateTable": place}, (), ())
        judged = self._judged(caller, collaboration, parameters, outputs, payer)
        version = new_version(table, judged, parameters)
        worker = (request.get("computeConfiguration") or {}).get("queryComputeConfiguration")
        with self.store.transaction():
            self._check_open(self._own_table(caller, request))
            query = self._begin(
                Submitted(
                    caller,
                    membership,
                    collaboration,
                    outputs,
                    judged,
                    payer,
                    parameters,
                    {"worker": worker} if worker else None,
                ),
                version,
            )
        return {"analysisId": query["id"], "analysisType": "QUERY", "versionId": version["id"]}

    def list_intermediate_table_versions(self, caller: Caller, **request: Any) -> Document:
        """Lists the versions of a table, the newest first."""
        table = self._own_table(caller, request)
        versions = versions_of(self.store, table)
        shown, more = page(versions, request, f"versions {table['id']}", newest_first=True)
        summaries = [{"versionId": one["id"], **summary(one, _VERSION)} for one in shown]
        return {"intermediateTableVersionSummaries": summaries, **more}

    def disallow_intermediate_table(self, caller: Caller, **request: Any) -> Document:
        """Ends the use of a table that holds the caller's data, and of those made from it; deletes the rows.

        :raises ServiceFault: ResourceNotFoundException for a table that reads no table of the caller
        """
        membership = self.active_membership_of(caller, request["membershipIdentifier"])
        wanted = request["intermediateTableName"].lower()
        with self.store.transaction():
            every = tables_in(self.store, membership["collaborationId"])
            found = next(
                (one for one in every if one["name"] == wanted and _holds(one, caller.account)), None
            )
            if found is None:
                message = f"No intermediate table {wanted} references a table of {caller.account}."
                raise refusals.missing("intermediate table", wanted, message)
            closed = [found]
            if request.get("includeDescendants", True):
                closed += descendants_of(self.store, found)
            for one in closed:
                self.store.save(KIND, one | {"_closed": DISALLOWED, "updateTime": names.now()})
        settle(self.store, self.managed, membership["collaborationId"])
        return {}

    def _check_open(self, table: Document) -> None:
        state = state_of(self.store, table)
        if state.status in (DISALLOWED, REMOVED):
            message = f"Intermediate table {table['name']} cannot be populated: {state.reason}"
            raise refusals.conflict(KIND, table["id"], "INVALID_STATE", message)
        check_idle(table, versions_of(self.store, table))


def _holds(table: Document, account: str) -> bool:
    return any(base["creatorAccountId"] == account for base in table["tableDependencies"])
