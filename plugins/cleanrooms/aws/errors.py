"""Errors of AWS Clean Rooms by what they mean; :mod:`cleanrooms.aws.failures` says which failure becomes which."""

from __future__ import annotations

from cleanrooms.errors import PermanentError, ProtectedQueryError, TransientError


class PermissionDenied(PermanentError):
    """A permission is missing; ``data["cause"]`` says whose (see the rows below)."""


class BudgetExhausted(PermanentError):
    """A privacy, access or aggregation budget is used up."""


class QueryCancelled(ProtectedQueryError):
    """Somebody cancelled the query."""


class QueryTimedOut(ProtectedQueryError):
    """The service ended the query at its 24 hours, or we cancelled it because our waiting ended first."""


class Throttled(TransientError):
    """Too many calls a second."""


class QuotaExceeded(TransientError):
    """A quota is used up, most often the queries that may run at once."""


class NotYetVisible(TransientError):
    """IAM has not yet made a new role or policy known everywhere."""


class CredentialsExpired(TransientError):
    """The session's credentials ran out; a new session gets new ones."""


class ResponseLost(TransientError):
    """A call may have been carried out, but its answer never came."""
