"""CloudWatch Logs: entries that a service writes into the logs of an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ministack.services import cloudwatch_logs as _logs

from sandbox.ministack.loop import soon


def put_log_events(account: str, region: str, group: str, stream: str, events: Sequence[Any]) -> None:
    """Appends events to a log stream, soon and best effort; from any thread.

    Group and stream are made where they are missing.

    :param events: as PutLogEvents takes them
    """

    def put() -> None:
        # What is there already is refused, and stays as it is.
        _logs._create_log_group({"logGroupName": group})
        place = {"logGroupName": group, "logStreamName": stream}
        _logs._create_log_stream(place)
        _logs._put_log_events({**place, "logEvents": list(events)})

    soon(account, region, put)
