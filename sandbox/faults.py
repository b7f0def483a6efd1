"""Faults on demand: errors, delays and cut connections for the requests that a pattern names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sandbox.operations import protocol
from sandbox.request import Request


class InvalidFault(Exception):
    """The posted fault cannot be understood; names the field."""


@dataclass
class Fault:
    """One fault; after ``times`` matching requests it is spent.

    ``match`` is a regular expression searched in ``<service> <METHOD> <path> <operation>``, as in
    ``^cleanrooms POST .* StartProtectedQuery$``.
    """

    match: str
    times: int = 1
    delay: float = 0.0  # seconds before anything else happens
    status: int | None = None  # HTTP status of a reply that no service sees
    code: str = "InternalFailure"
    message: str = "injected by the sandbox"
    cut_before: bool = False  # the connection ends before any service sees the request
    cut_after: int | None = None  # the connection ends after so many bytes of the request's body
    cut_after_response: bool = False  # the service carries the request out, the reply is lost
    internal: bool = False  # also for the calls that the sandbox makes on itself

    @classmethod
    def of(cls, document: Any) -> Fault:
        """:raises InvalidFault: unknown or missing fields, a pattern that does not compile, two effects"""
        if not isinstance(document, Mapping):
            raise InvalidFault("a fault is a JSON object")
        unknown = sorted(set(document) - {known.name for known in fields(cls)})
        if unknown:
            raise InvalidFault(f"unknown field: {', '.join(unknown)}")
        if not isinstance(document.get("match"), str):
            raise InvalidFault("match: a regular expression is needed")
        for name in ("times", "delay", "status", "cut_after"):
            if not isinstance(document.get(name, 0), (int, float)):
                raise InvalidFault(f"{name}: a number is needed")
        fault = cls(**document)
        try:
            re.compile(fault.match)
        except re.error as problem:
            raise InvalidFault(f"match: {problem}") from problem
        if len(fault.effects) > 1:
            raise InvalidFault(f"choose one of {', '.join(fault.effects)}")
        if not fault.effects and not fault.delay:
            raise InvalidFault("name an effect: delay, status, cut_before, cut_after or cut_after_response")
        return fault

    @property
    def effects(self) -> list[str]:
        """The names of the effects beside the delay."""
        chosen = {
            "status": self.status is not None,
            "cut_before": self.cut_before,
            "cut_after": self.cut_after is not None,
            "cut_after_response": self.cut_after_response,
        }
        return [name for name, present in chosen.items() if present]

    def reply(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Returns the error as the service's protocol would write it."""
        return (
            self.status or 500,
            {"x-amzn-errortype": self.code, "content-type": "application/x-amz-json-1.1"},
            _error_body(protocol(request.service), self.code, self.message),
        )


@dataclass
class FaultBook:
    """The faults in force, first posted first."""

    faults: list[Fault] = field(default_factory=list)

    def replace(self, document: Any) -> None:
        """Puts ``document`` (one fault or a list of them, JSON) in place of all faults.

        :raises InvalidFault: nothing was changed
        """
        items = document if isinstance(document, list) else [document]
        self.faults = [Fault.of(item) for item in items]

    def take(self, request: Request) -> Fault | None:
        """Returns the first unspent fault that the request meets, and counts it."""
        for fault in self.faults:
            meant = fault.internal or not request.internal
            if fault.times > 0 and meant and re.search(fault.match, request.line):
                fault.times -= 1
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """Returns the faults with the times they have left."""
        return [asdict(fault) for fault in self.faults]


def _error_body(wire: str, code: str, message: str) -> bytes:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if wire == "rest-xml":
        return error.encode()
    if wire in ("query", "ec2"):
        return f"<ErrorResponse>{error}<RequestId>sandbox</RequestId></ErrorResponse>".encode()
    return json.dumps({"__type": code, "message": message}).encode()
