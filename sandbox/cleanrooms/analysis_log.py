"""Analysis logs in CloudWatch Logs: who asked what of which table, and how it ended.

A log is written to an account when the collaboration and the account's membership have query logging on:
the runner's, the receivers' and the owners' of the tables, one entry per table at submission and one at
termination (User Guide, pages "Analysis logging" and "Analysis log examples"). Best effort, as in the
service: a query never waits for its log.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cleanrooms import names
from sandbox.cleanrooms.outputs import Outputs
from sandbox.cleanrooms.room import Room, member_of
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.submission import Judged
from sandbox.clients import root_client

log = logging.getLogger(__name__)
GROUP = "/aws/cleanrooms/{collaboration}"
_ENABLED = "ENABLED"
_SHOWN_STATUS = {"SUCCESS": "COMPLETED"}  # the word of the documentation's examples


class AnalysisLog:
    """Writes entries in the background, one after the other."""

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="analysis-log")

    def submitted(self, region: str, entries: Sequence[Document], errors: Sequence[str] = ()) -> None:
        """Writes what :func:`entries_of` gave, with the violations of a query that was refused."""
        more: Document = {"logStage": "SUBMISSION"}
        if errors:
            more["queryValidationErrors"] = json.dumps(list(errors))
        self._write(region, entries, more)

    def terminated(self, query: Document) -> None:
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
        self._write(query["_plan"]["region"], query["_plan"].get("log", ()), shown)

    def close(self) -> None:
        """Ends the writing; what waits is lost."""
        self._writer.shutdown(wait=False, cancel_futures=True)

    def _write(self, region: str, entries: Sequence[Document], more: Document) -> None:
        stamped = [
            {**one, "entry": {**one["entry"], **more, "eventTimestamp": round(names.now() * 1000)}}
            for one in entries
        ]
        if stamped:
            self._writer.submit(_deliver, region, stamped)


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


def _deliver(region: str, entries: Sequence[Document]) -> None:
    """Writes the entries of one query at one stage, an account's together."""
    by_account: dict[str, list[Document]] = {}
    for one in entries:
        by_account.setdefault(one["account"], []).append(one["entry"])
    for account, mine in by_account.items():
        group = GROUP.format(collaboration=mine[0]["collaborationId"])
        try:
            _put(root_client("logs", account, region), group, mine)
        except (BotoCoreError, ClientError):
            log.warning("analysis log entries of %s were not written", group)


def _put(client: Any, group: str, entries: Sequence[Document]) -> None:
    stream = str(entries[0]["eventId"])
    place = {"logGroupName": group, "logStreamName": stream}
    # CloudWatch goes by the machine's clock, not by the clean room's.
    now = round(time.time() * 1000)
    events = [{"timestamp": now, "message": json.dumps(entry)} for entry in entries]
    if entries[0]["logStage"] == "SUBMISSION":
        _make_stream(client, place)
    try:
        client.put_log_events(**place, logEvents=events)
    except client.exceptions.ResourceNotFoundException:  # the stream was deleted meanwhile
        _make_stream(client, place)
        client.put_log_events(**place, logEvents=events)


def _make_stream(client: Any, place: dict[str, str]) -> None:
    """A stream of its own for each query, in a group that is there after the first one."""
    try:
        client.create_log_stream(**place)
    except client.exceptions.ResourceAlreadyExistsException:
        return
    except client.exceptions.ResourceNotFoundException:
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=place["logGroupName"])
        client.create_log_stream(**place)
