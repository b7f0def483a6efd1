"""EventBridge: PutEvents refuses sources of AWS; ministack has a door for its own emitters."""

from __future__ import annotations

import json
from functools import partial

from ministack.services import eventbridge as _eventbridge

from sandbox.bus import Event
from sandbox.ministack.loop import soon


def put_event(account: str, region: str, event: Event) -> None:
    """Puts an event of a service on an account's default bus, soon and best effort; from any thread."""
    entry = {
        "Source": event.source,
        "DetailType": event.kind,
        "Detail": json.dumps(event.detail),
        "Resources": list(event.resources),
    }
    soon(account, region, partial(_eventbridge._put_events, {"Entries": [entry]}, allow_aws_source=True))
