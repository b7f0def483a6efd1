"""CloudTrail: ministack's own names REST and query calls "POST.<service>" and drops refused calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import ministack.app as _app
from ministack.services import cloudtrail as _cloudtrail

from sandbox.ministack.services import Headers, Query
from sandbox.wire import Caller

# What ministack would have written to CloudTrail about the call, picked up by record_call.
_trail: ContextVar[dict[str, Any] | None] = ContextVar("sandbox_trail", default=None)


def take_over_trail() -> None:
    """Stops ministack's own CloudTrail entries: :func:`record_call` writes them instead."""

    def remember(
        service: str,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        query: Query,
        request_id: str,
        region: str,
    ) -> None:
        notes = _trail.get()
        if notes is not None:
            notes["resources"] = _app._ct_resources(service, method, path, body)
            notes["parameters"] = _app._ct_request_params(headers, body, query)

    _app._maybe_record_cloudtrail = remember


def begin_notes() -> None:
    """Starts the notes on one request."""
    _trail.set({})


def describe_call(described: Mapping[str, Any]) -> None:
    """Notes members of the current call's CloudTrail event; :func:`record_call` writes them."""
    notes = _trail.get()
    if notes is not None:
        notes["described"] = dict(described)


def record_call(
    who: Caller,
    service: str,
    operation: str,
    method: str,
    redact: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    request_id: str,
    user_agent: str,
    error: str,
) -> None:
    """Writes one finished call to the caller's CloudTrail, refused ones with their error code."""
    notes = _trail.get() or {}
    _cloudtrail.record_event(
        service=service,
        event_name=operation,
        username=who.principal_arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1],
        access_key_id=who.access_key,
        resources=notes.get("resources", []),
        region=who.region,
        request_id=request_id,
        user_agent=user_agent,
        request_params=redact(notes.get("parameters", {})),
        method=method,
    )
    written = _cloudtrail._get_event_queue()[-1]
    event = json.loads(written["CloudTrailEvent"])
    event["userIdentity"]["arn"] = who.principal_arn
    event |= {"managementEvent": True, "eventCategory": "Management", **notes.get("described", {})}
    if error:
        event["errorCode"] = error
    written["CloudTrailEvent"] = json.dumps(event)
