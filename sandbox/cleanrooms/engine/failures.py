"""How a protected query ends without a result."""

from __future__ import annotations

# Codes of ProtectedQueryError that the service documents.
MALFORMED_QUERY = "MALFORMED_QUERY"
RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
INVALID_RESOURCE = "INVALID_RESOURCE"
RESOURCE_ACCESS_DENIED = "RESOURCE_ACCESS_DENIED"
INSUFFICIENT_COMPUTE = "INSUFFICIENT_COMPUTE"
TRANSIENT_ERROR = "TRANSIENT_ERROR"
INTERNAL_ERROR = "INTERNAL_ERROR"


class QueryFailed(Exception):
    """The query ends as FAILED.

    :param code: one of the codes above
    :param message: for the runner; no values of rows
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class QueryCancelled(Exception):
    """The query ends as CANCELLED."""


class QueryTimedOut(Exception):
    """The query ends as TIMED_OUT."""
