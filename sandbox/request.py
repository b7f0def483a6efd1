"""What the gateway knows about a request before any service sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from sandbox.clients import INTERNAL_USER_AGENT
from sandbox.operations import operation_name

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Request:
    """``path`` is as sent; header names are in lower case; ``service`` is the signing name, may be empty."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    service: str
    operation: str = ""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Request:
        """Reads an ASGI ``http`` scope."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        request = cls(
            method=scope["method"],
            path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
            query=query,
            headers=headers,
            service=_signing_name(headers.get("authorization", ""), query),
        )
        return request.with_body(b"")

    def with_body(self, body: bytes) -> Request:
        """Returns the request with its operation named, for which the query protocol needs the body."""
        return replace(
            self,
            operation=operation_name(self.service, self.method, self.path, self.query, self.headers, body),
        )

    @property
    def internal(self) -> bool:
        """Whether a part of the sandbox itself makes the call, on an account's behalf."""
        return INTERNAL_USER_AGENT in self.headers.get("user-agent", "")

    @property
    def line(self) -> str:
        """What faults match: ``<service> <METHOD> <path> <operation>``."""
        return f"{self.service} {self.method} {self.path} {self.operation}"


def _signing_name(authorization: str, query: Mapping[str, Sequence[str]]) -> str:
    signed = authorization or f"Credential={query.get('X-Amz-Credential', [''])[0]}"
    found = _SCOPE.search(signed)
    if found:
        return found[1]
    # Signature version 2, which boto3 still presigns with, has no scope; S3 alone takes it.
    return "s3" if "AWSAccessKeyId" in query or authorization.startswith("AWS ") else ""
