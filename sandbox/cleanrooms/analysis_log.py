"""Analysis logs in CloudWatch Logs: who asked what of which table, and how it ended.

A log is written to an account when the collaboration and the account's membership have query logging on:
the runner's, the receivers' and the owners' of the tables, one entry per table at submission and one at
termination (User Guide, pages "Analysis logging" and "Analysis log examples"). Best effort, as in the
service: a query never waits for its log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import inside
from sandbox.cleanrooms import names
from sandbox.cleanrooms.outputs import Outputs
from sandbox.cleanrooms.room import Room, member_of
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.submission import Judged

GROUP = "/aws/cleanrooms/{collaboration}"
_ENABLED = "ENABLED"
_SHOWN_STATUS = {"SUCCESS": "COMPLETED"}  # the word of the documentation's examples


def log_submission(region: str, entries: Sequence[Document], errors: Sequence[str] = ()) -> None:
    """Writes what :func:`entries_of` gave, with the violations of a query that was refused."""
    more: Document = {"logStage": "SUBMISSION"}
    if errors:
        more["queryValidationErrors"] = json.dumps(list(errors))
    _write(region, entries, more)


def log_termination(query: Document) -> None:
    """Writes the end of a query; one that was cancelled after its validation has no such entry."""
    if query["status"] == "CANCELLED":
        return
    error = query.get("_error") or {}
    more = {
        "logStage": "TERMINATION",
        "status": _SHOWN_STATUS.get(query["status"], query["status"]),
        "errorCode": error.get("code"),
        "errorMessage": error.get("message"),
    }
    shown = {name: value for name, value in more.items() if value is not None}
    _write(query["_plan"]["region"], query["_plan"].get("log", ()), shown)


def entries_of(
    room: Room,
    collaboration: Document,
    runner: str,
    query: str,
    parameters: Mapping[str, Any],
    judged: Judged,
    outputs: Outputs,
) -> list[Document]:
    """Returns the entries of a query: account and fields, the same for both stages.

    :param query: id of the protected query, or one of its own for a query that was refused
    :param parameters: ``sqlParameters`` of the request
    """
    if collaboration["queryLogStatus"] != _ENABLED:
        return []
    known = {table.name: table for table in judged.used}
    mentioned: list[str | None] = list(dict.fromkeys((*known, *judged.mentioned))) or [None]
    owners = [table.owner for table in judged.used]
    audience = [
        account
        for account in dict.fromkeys([runner, *outputs.receivers, *owners])
        if _is_logging(room, collaboration, account)
    ]
    common = _common(collaboration, runner, query, parameters, judged, outputs)
    entries = []
    for account in audience:
        for name in mentioned:
            table = known.get(name or "")
            entry = common | {"schemaName": name}
            if table is not None and table.rule is not None and "queryString" in parameters:
                entry["directQueryAnalysisRuleType"] = table.rule["type"]
                entry["directQueryAnalysisRulePolicy"] = json.dumps(table.rule["policy"])
            if table is not None and table.owner == account:
                entry["configuredTableId"] = table.configured["id"]
            shown = {field: value for field, value in entry.items() if value is not None}
            entries.append({"account": account, "entry": shown})
    return entries


def _common(
    collaboration: Document,
    runner: str,
    query: str,
    parameters: Mapping[str, Any],
    judged: Judged,
    outputs: Outputs,
) -> Document:
    tables: dict[str, list[str]] = {}
    for table in judged.used:
        tables.setdefault(table.owner, []).append(table.name)
    regions = collaboration.get("allowedResultRegions")
    values = parameters.get("parameters")
    return {
        "eventId": query,
        "collaborationId": collaboration["id"],
        "analysisCategory": "SQL",
        "analysisTemplateArn": parameters.get("analysisTemplateArn"),
        "parameters": json.dumps(values) if values else None,
        "queryText": judged.text,
        "resultReceivers": json.dumps(list(outputs.receivers)),
        "queryRunners": json.dumps([runner]),
        "resultRegions": json.dumps(regions) if regions else None,
        "memberSchemaMapping": json.dumps(tables),
        "memberDisplayNames": json.dumps(
            {member["accountId"]: member["displayName"] for member in collaboration["_members"]}
        ),
    }


def _is_logging(room: Room, collaboration: Document, account: str) -> bool:
    member = member_of(collaboration, account) or {}
    membership = room.store.get("membership", member.get("membershipId", "")) or {}
    return membership.get("status") == "ACTIVE" and membership.get("queryLogStatus") == _ENABLED


def _write(region: str, entries: Sequence[Document], more: Document) -> None:
    """Writes the entries of one query at one stage, an account's together, into a stream of the query's own."""
    stamp = round(names.now() * 1000)
    by_account: dict[str, list[Document]] = {}
    for one in entries:
        by_account.setdefault(one["account"], []).append({**one["entry"], **more, "eventTimestamp": stamp})
    # CloudWatch goes by the machine's clock, not by the clean room's.
    now = round(time.time() * 1000)
    for account, mine in by_account.items():
        group = GROUP.format(collaboration=mine[0]["collaborationId"])
        events = [{"timestamp": now, "message": json.dumps(entry)} for entry in mine]
        inside.services().put_log_events(account, region, group, mine[0]["eventId"], events)
