"""Protected queries: start, look, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import botocore.session

from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.analysis_log import AnalysisLog, entries_of
from sandbox.cleanrooms.engine.runner import UNFINISHED, QueryRunner
from sandbox.cleanrooms.outputs import Outputs, check_buckets, outputs_of
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.payers import payer_of_query
from sandbox.cleanrooms.room import CAN_QUERY, Room, public
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.spending import spend
from sandbox.cleanrooms.state import Document, Store
from sandbox.cleanrooms.submission import Judged, judge, split
from sandbox.wire import Caller

_MODEL = botocore.session.get_session().get_service_model("cleanrooms")
# Newer versions of the model tell whether a failure is worth a retry.
_RETRY_IS_MODELLED = "retry" in _MODEL.shape_for("ProtectedQueryError").members  # type: ignore[attr-defined]


class Queries(Room):
    """Operations on protected queries."""

    def __init__(
        self, store: Store, settings: Settings, runner: QueryRunner, analysis_log: AnalysisLog
    ) -> None:
        super().__init__(store, settings)
        self.runner = runner
        self.analysis_log = analysis_log

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
        fault, refusal = split(judged.verdict.violations)
        if fault is not None:
            raise fault
        identifier = names.new_id()
        entries = entries_of(
            self, collaboration, caller.account, identifier, request["sqlParameters"], judged, outputs
        )
        if refusal and self.settings.violations == "sync":
            self.analysis_log.submitted(caller.region, entries, [refusal])
            raise refusals.query_refused(refusal)
        check_buckets(outputs, caller.region, collaboration.get("allowedResultRegions") or ())
        query = _new(identifier, membership, request, outputs, payer)
        query["_plan"] = _plan(caller, collaboration, judged, outputs, refusal, identifier)
        query["_plan"]["log"] = entries
        with self.store.transaction():
            self._check_concurrency(membership)
            if not refusal:
                _keep_noise(query, spend(self, collaboration["id"], judged.used, judged.text))
            self.store.add("protected_query", query, owner=caller.account, parent=collaboration["id"])
        self.analysis_log.submitted(caller.region, entries, [refusal] if refusal else [])
        self.runner.start(identifier)
        return {"protectedQuery": _view(query, caller.account)}

    def get_protected_query(self, caller: Caller, **request: Any) -> Document:
        """Shows a query to its runner and its receivers; receivers do not see the SQL."""
        return {"protectedQuery": _view(self._query(caller, request), caller.account)}

    def list_protected_queries(self, caller: Caller, **request: Any) -> Document:
        """Lists the queries that the member started or receives, the newest first."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        status = request.get("status")
        seen = [
            query
            for query in self.store.find("protected_query", parent=membership["collaborationId"])
            if _is_seen_by(query, caller.account) and status in (None, query["status"])
        ]
        shown, more = page(seen, request, f"queries {membership['id']} {status}", newest_first=True)
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
        mine = self.store.find("protected_query", owner=membership["_owner"])
        active = [
            one for one in mine if one["membershipId"] == membership["id"] and one["status"] in UNFINISHED
        ]
        quota = self.settings.concurrent_queries
        if len(active) >= quota:
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


def _new(
    identifier: str, membership: Document, request: Mapping[str, Any], outputs: Outputs, payer: str
) -> dict[str, Any]:
    return {
        "id": identifier,
        "membershipId": membership["id"],
        "membershipArn": membership["arn"],
        "createTime": names.now(),
        "sqlParameters": request["sqlParameters"],
        "status": "SUBMITTED",
        "resultConfiguration": {"outputConfiguration": outputs.configuration},
        "computeConfiguration": request.get("computeConfiguration"),
        "queryComputePayerAccountId": payer,
        "_runner": membership["_owner"],
        "_receivers": list(outputs.receivers),
    }


def _plan(
    caller: Caller, collaboration: Document, judged: Judged, outputs: Outputs, refusal: str, query: str
) -> Document:
    """What the engine needs, kept with the query."""
    verdict = judged.verdict
    return {
        "collaboration": collaboration["id"],
        "region": caller.region,
        "refusal": refusal,
        "sql": verdict.sql,
        "columns": list(verdict.output_columns),
        "tables": [table.as_reference() for table in judged.used],
        "destinations": [asdict(one) for one in outputs.destinations],
        "output": outputs.shown(collaboration["id"], query),
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
    return {
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
