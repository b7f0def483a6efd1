"""EventBridge: PutEvents refuses sources of AWS; ministack has a door for its own emitters."""

from __future__ import annotations

import asyncio
import json
from contextvars import copy_context

from ministack.core import responses
from ministack.services import eventbridge as _eventbridge

from sandbox.bus import Event

_loop: asyncio.AbstractEventLoop | None = None


def use_running_loop() -> None:
    """Makes the event loop of the caller the one that puts events."""
    global _loop
    _loop = asyncio.get_running_loop()


def put_event(account: str, region: str, event: Event) -> None:
    """Puts an event of a service on an account's default bus, soon and best effort; from any thread."""
    if _loop is None or _loop.is_closed():
        return
    entry = {
        "Source": event.source,
        "DetailType": event.kind,
        "Detail": json.dumps(event.detail),
        "Resources": list(event.resources),
    }

    def put() -> None:
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        _eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    # ministack's tables are the event loop's; the account and the Region live in the call's context.
    _loop.call_soon_threadsafe(put, context=copy_context())
