"""The record of every API call, refused ones included: who, what, how it ended; never what it carried."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

KEPT = 20_000  # calls in memory; the file under --data keeps all

_XML_CODE = re.compile(rb"<Code>([^<]+)</Code>")


class Audit:
    """Keeps the last :data:`KEPT` calls in memory and appends all of them to a JSON Lines file."""

    def __init__(self, file: Path | None) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._out: TextIO | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = file.open("a", encoding="utf-8", buffering=1)

    def record(
        self,
        *,
        account: str,
        principal: str,
        service: str,
        operation: str,
        status: int,
        error: str,
        fault: str = "",
        internal: bool = False,
    ) -> None:
        """Adds one call.

        :param principal: ARN of who signed it, empty when the key is unknown
        :param status: HTTP status, 0 when the service never answered
        :param error: the error's code, empty for success
        :param fault: the injected effect that the call met
        :param internal: made by the sandbox itself on the account's behalf
        """
        self._number += 1
        call = {
            "number": self._number,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "account": account,
            "principal": principal,
            "service": service,
            "operation": operation,
            "status": status,
            "error": error,
            "fault": fault,
            "internal": internal,
        }
        self._calls.append(call)
        if self._out is not None:
            self._out.write(json.dumps(call) + "\n")

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """Returns the calls in memory whose number is greater than ``after``, oldest first."""
        return [call for call in self._calls if call["number"] > after]

    def close(self) -> None:
        """Ends the file."""
        if self._out is not None:
            self._out.close()


def error_code(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Returns the error code of a reply in any of AWS's protocols, empty for success.

    :param headers: names in lower case
    :param body: at least the beginning; a reply to HEAD has none, its status stands in
    """
    if status < 400:
        return ""
    declared = headers.get("x-amzn-errortype", "") or _declared_in(body)
    return declared.split(":")[0].rsplit("#", 1)[-1] or str(status)


def _declared_in(body: bytes) -> str:
    found = _XML_CODE.search(body)
    if found:
        return found[1].decode("utf-8", "replace")
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    return str(document.get("__type") or document.get("code") or document.get("Code") or "")
