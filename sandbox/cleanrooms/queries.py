"""Protected queries: start, look, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import botocore.session

from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.analysis_log import entries_of, log_submission
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.engine.runner import UNFINISHED, QueryRunner
from sandbox.cleanrooms.intermediate_states import VERSION
from sandbox.cleanrooms.outputs import Outputs, check_buckets, outputs_of
from sandbox.cleanrooms.paging import stored_page
from sandbox.cleanrooms.payers import payer_of_query
from sandbox.cleanrooms.room import CAN_QUERY, Room, public
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.spending import spend
from sandbox.cleanrooms.state import Document, Store
from sandbox.cleanrooms.submission import Judged, judge, split
from sandbox.cleanrooms.workers import check_workers
from sandbox.wire import Caller

_MODEL = botocore.session.get_session().get_service_model("cleanrooms")
# Newer versions of the model tell whether a failure is worth a retry.
_RETRY_IS_MODELLED = "retry" in _MODEL.shape_for("ProtectedQueryError").members  # type: ignore[attr-defined]
# Queries that an account runs or receives (its id twice), of one status or of any (the status twice).
_SEEN = (
    "(json_extract(body, '$._runner') = ?"
    " OR EXISTS (SELECT 1 FROM json_each(body, '$._receivers') AS receiver WHERE receiver.value = ?))"
    " AND (? IS NULL OR json_extract(body, '$.status') = ?)"
)


@dataclass(frozen=True)
class Submitted:
    """One query that a member wants to run.

    :param parameters: ``sqlParameters``
    :param compute: ``computeConfiguration``
    """

    caller: Caller
    membership: Document
    collaboration: Document
    outputs: Outputs
    judged: Judged
    payer: str
    parameters: Mapping[str, Any]
    compute: Mapping[str, Any] | None


class Queries(Room):
    """Operations on protected queries."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        managed: ManagedStorage,
        runner: QueryRunner,
    ) -> None:
        super().__init__(store, settings, managed)
        self.runner = runner

    def start_protected_query(self, caller: Caller, **request: Any) -> Document:
        """Judges a query and starts it.

        :raises ServiceFault: AccessDeniedException without CAN_QUERY; ValidationException for a query that
            breaks a rule or a configuration that does not permit it; ServiceQuotaExceededException while
            the membership runs as many queries as it may
        """
        membership = self.active_membership_of(caller, request["membershipIdentifier"])
        if CAN_QUERY not in membership["memberAbilities"]:
            raise refusals.denied(f"Member {caller.account} does not have the ability CAN_QUERY.")
        collaboration = self.collaboration_by_id(membership["collaborationId"])
        payer = payer_of_query(collaboration, caller.account, request.get("queryComputePayerAccountId"))
        configuration = (request.get("resultConfiguration") or {}).get("outputConfiguration")
        outputs = outputs_of(self, caller, membership, collaboration, configuration)
        judged = judge(self, collaboration, caller.account, request["sqlParameters"], outputs, payer)
        worker = request.get("computeConfiguration")
        return {
            "protectedQuery": self._begin(
                Submitted(
                    caller,
                    membership,
                    collaboration,
                    outputs,
                    judged,
                    payer,
                    request["sqlParameters"],
                    worker,
                )
            )
        }

    def _begin(self, submitted: Submitted, version: Document | None = None) -> Document:
        """Starts a query that was judged, or refuses it.

        :param version: of the intermediate table that the query populates; stored with the query
        """
        check_workers(submitted.compute)
        caller, membership, collaboration = submitted.caller, submitted.membership, submitted.collaboration
        outputs, judged = submitted.outputs, submitted.judged
        fault, refusal = split(judged.verdict.violations)
        if fault is not None:
            raise fault
        query = _new(submitted, version)
        entries = entries_of(
            self, collaboration, caller.account, query["id"], submitted.parameters, judged, outputs
        )
        if refusal and self.settings.violations == "sync":
            log_submission(caller.region, entries, [refusal])
            raise refusals.query_refused(refusal)
        check_buckets(outputs, caller.region, collaboration.get("allowedResultRegions") or ())
        query["_plan"] = _plan(submitted, refusal, query["id"]) | {"log": entries}
        if version is not None:
            query["_plan"] |= {
                "version": version["id"],
                "columns": [column.lower() for column in judged.verdict.output_columns],
            }
        with self.store.transaction():
            self._check_concurrency(membership)
            if not refusal:
                _keep_noise(query, spend(self, collaboration["id"], judged.used, judged.text))
            if version is not None:
                self.store.add(VERSION, version, owner=caller.account, parent=version["tableId"])
            self.store.add("protected_query", query, owner=caller.account, parent=collaboration["id"])
        log_submission(caller.region, entries, [refusal] if refusal else [])
        self.runner.start(query["id"])
        return _view(query, caller.account)

    def get_protected_query(self, caller: Caller, **request: Any) -> Document:
        """Shows a query to its runner and its receivers; receivers do not see the SQL."""
        return {"protectedQuery": _view(self._query(caller, request), caller.account)}

    def list_protected_queries(self, caller: Caller, **request: Any) -> Document:
        """Lists the queries that the member started or receives, the newest first."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        status = request.get("status")
        shown, more = stored_page(
            self.store,
            "protected_query",
            request,
            f"queries {membership['id']} {status}",
            newest_first=True,
            parent=membership["collaborationId"],
            condition=_SEEN,
            values=(caller.account, caller.account, status, status),
        )
        return {"protectedQueries": [_summary(query) for query in shown], **more}

    def update_protected_query(self, caller: Caller, **request: Any) -> Document:
        """Cancels a query, the only change there is.

        :raises ServiceFault: ConflictException for a query that has ended
        """
        query = self._query(caller, request)
        if query["_owner"] != caller.account:
            raise refusals.denied("Only the member who started a query can cancel it.")
        cancelled = self.runner.cancel(query["id"])
        if cancelled is None and query["status"] != "CANCELLING":
            message = f"Protected query {query['id']} cannot be cancelled: it has ended."
            raise refusals.conflict("protected query", query["id"], "INVALID_STATE", message)
        return {"protectedQuery": _view(cancelled or query, caller.account)}

    def _check_concurrency(self, membership: Document) -> None:
        # An account has one membership in a collaboration.
        active = self.store.count(
            "protected_query",
            owner=membership["_owner"],
            parent=membership["collaborationId"],
            status=UNFINISHED,
        )
        quota = self.settings.concurrent_queries
        if active >= quota:
            message = f"The membership has {quota} queries in progress, which is its quota."
            raise refusals.over_quota("Concurrent queries per membership", quota, message)

    def _query(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["protectedQueryIdentifier"]
        found = self.store.get("protected_query", identifier)
        if (
            found is None
            or found["_plan"]["collaboration"] != membership["collaborationId"]
            or not _is_seen_by(found, caller.account)
        ):
            raise refusals.missing("protected query", identifier)
        return found


def _new(submitted: Submitted, version: Document | None) -> dict[str, Any]:
    membership = submitted.membership
    return {
        "id": version["analysisId"] if version else names.new_id(),
        "membershipId": membership["id"],
        "membershipArn": membership["arn"],
        "createTime": names.now(),
        "sqlParameters": submitted.parameters,
        "status": "SUBMITTED",
        "resultConfiguration": {"outputConfiguration": submitted.outputs.configuration},
        "computeConfiguration": submitted.compute,
        "queryComputePayerAccountId": submitted.payer,
        "_runner": membership["_owner"],
        "_receivers": list(submitted.outputs.receivers),
    }


def _plan(submitted: Submitted, refusal: str, query: str) -> Document:
    """What the engine needs, kept with the query."""
    collaboration, judged = submitted.collaboration["id"], submitted.judged
    return {
        "collaboration": collaboration,
        "region": submitted.caller.region,
        "refusal": refusal,
        "sql": judged.verdict.sql,
        "columns": list(judged.verdict.output_columns),
        "tables": [table.as_reference() for table in judged.used],
        "destinations": [asdict(one) for one in submitted.outputs.destinations],
        "output": submitted.outputs.shown(collaboration, query),
    }


def _keep_noise(query: Document, noise: Document | None) -> None:
    if noise is not None:
        query["_plan"]["noiseScale"] = noise["scale"]
        query["differentialPrivacy"] = {"sensitivityParameters": noise["sensitivity"]}


def _is_seen_by(query: Document, account: str) -> bool:
    return account == query["_runner"] or account in query["_receivers"]


def _view(query: Document, account: str) -> Document:
    shown = public(query)
    if account != query["_runner"]:
        shown.pop("sqlParameters", None)
    if error := query.get("_error"):
        shown["error"] = {"code": error["code"], "message": error["message"]}
        if _RETRY_IS_MODELLED:
            shown["error"]["retry"] = {"retryable": error["retryable"]}
    return shown


def _summary(query: Document) -> Document:
    receivers = {"receiverAccountIds": query["_receivers"]}
    shown = {
        "id": query["id"],
        "membershipId": query["membershipId"],
        "membershipArn": query["membershipArn"],
        "createTime": query["createTime"],
        "status": query["status"],
        "receiverConfigurations": [
            {
                "analysisType": "DIRECT_ANALYSIS",
                "configurationDetails": {"directAnalysisConfigurationDetails": receivers},
            }
        ],
        "queryComputePayerAccountId": query["queryComputePayerAccountId"],
    }
    populated = query["resultConfiguration"]["outputConfiguration"].get("intermediateTable")
    return shown | ({"intermediateTableConfiguration": populated} if populated else {})
