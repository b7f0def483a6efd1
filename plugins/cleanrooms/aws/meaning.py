"""Turn what boto3 raised, or how a query ended, into the error that it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cleanrooms.aws.errors import QueryCancelled, QueryTimedOut, Throttled
from cleanrooms.aws.failures import API_ERRORS, BOTO_ERRORS, LATER, NEVER_SENT, QUERY_ERRORS, Row
from cleanrooms.errors import (
    CleanRoomsError,
    PermanentError,
    ProtectedQueryError,
    TransientError,
    TransientQueryError,
)

_MESSAGE_LIMIT = 400


def masked(message: str) -> str:
    """A message of the service without what stands in single quotes: it may repeat literals of the SQL."""
    return re.sub(r"'[^']*'", "'…'", " ".join(message.split()))[:_MESSAGE_LIMIT]


def from_aws(error: Exception, operation: str, subject: str) -> CleanRoomsError:
    """The error that a failed call means.

    :param error: what boto3 or aiobotocore raised
    :param operation: name of the API operation
    :param subject: what was acted on, by name or id, such as ``membership 0b5…``
    """
    if isinstance(error, CleanRoomsError):
        return error
    if not isinstance(error, boto.ClientError):
        return _from_boto(error, operation, subject)
    response: Mapping[str, Any] = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    reason = str(response.get("reason", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    row = _first(API_ERRORS, code, reason, message) or _unknown(code, status)
    facts = _facts(response)
    named = f"{code} {reason}".strip()
    what = f"{operation} on {subject} was refused with {named}: {masked(message)}{facts}."
    return _build(row, what, operation=operation, code=code, reason=reason)


def from_query(query: Mapping[str, Any]) -> CleanRoomsError:
    """The error that a query's end without success means.

    :param query: ``ProtectedQuery`` in the state FAILED, CANCELLED or TIMED_OUT
    """
    status, query_id = query["status"], query["id"]
    if status == "CANCELLED":
        return QueryCancelled(
            f"Protected query {query_id} was cancelled from outside this task.",
            "Clear the task to run it again.",
            query_id=query_id,
        )
    if status == "TIMED_OUT":
        return QueryTimedOut(
            f"Protected query {query_id} was stopped by the service after 24 hours.",
            "Give it more workers or less data, then clear the task.",
            query_id=query_id,
        )
    error = query.get("error", {})
    code, message = str(error.get("code", "")), str(error.get("message", ""))
    row = _first(QUERY_ERRORS, code, "", message) or Row(
        code, ProtectedQueryError, "See the query in the console; clear the task to run it again."
    )
    row = _told_by_service(row, error.get("retry", {}).get("retryable"))
    what = f"Protected query {query_id} ended {status} with {code or 'no code'}: {masked(message)}"
    return _build(row, what, query_id=query_id, code=code)


def may_have_happened(error: Exception) -> bool:
    """Whether the service may have carried out the call that ended in this error."""
    if isinstance(error, boto.ClientError):
        return _broken(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if isinstance(error, NEVER_SENT):
        return False
    return isinstance(error, boto.HTTPClientError | boto.ConnectionError | ResponseParserError | OSError)


def _broken(status: int) -> bool:
    """Whether a status tells of trouble that may pass; 501 says that the operation is not there."""
    return status >= 500 and status != 501


def _first(rows: Sequence[Row], code: str, reason: str, message: str) -> Row | None:
    return next((row for row in rows if row.fits(code, reason, message)), None)


def _unknown(code: str, status: int) -> Row:
    if status == 429 or "Throttl" in code:
        return Row(code, Throttled, LATER)
    if _broken(status):
        return Row(code, TransientError, LATER)
    return Row(code, PermanentError, "Look the code up in the service's API reference.")


def _told_by_service(row: Row, retryable: bool | None) -> Row:
    """The service's own word on retrying wins over the table (newer botocore models carry it)."""
    if retryable is None or retryable is not row.kind.permanent:
        return row
    kind = TransientQueryError if retryable else ProtectedQueryError
    return Row(row.code, kind, LATER if retryable else "See the query in the console.", cause=row.cause)


def _facts(response: Mapping[str, Any]) -> str:
    """Names and numbers that the service adds to its message."""
    facts = [
        f"{k} {response[k]}"
        for k in ("resourceType", "resourceId", "quotaName", "quotaValue")
        if k in response
    ]
    facts += [
        f"field {field.get('name')}: {masked(field.get('message', ''))}"
        for field in response.get("fieldList", [])
    ]
    return f" ({', '.join(facts)})" if facts else ""


def _from_boto(error: Exception, operation: str, subject: str) -> CleanRoomsError:
    for kind, becomes, todo in BOTO_ERRORS:
        if isinstance(error, kind):
            what = f"{operation} on {subject} did not get through: {_text(error)}"
            return becomes(what, todo, operation=operation, code=type(error).__name__)
    raise error


def _text(error: Exception) -> str:
    """botocore repeats the value of an argument that it refuses: only its name is kept."""
    if not isinstance(error, boto.ParamValidationError):
        return masked(str(error))
    text = str(error)
    names = re.findall(r"parameter (?!in )([\w.]+)", text)
    names += [
        f"{place} without {name}" for place, name in re.findall(r'parameter in ([\w.]+): "(\w+)"', text)
    ]
    return f"botocore refuses {', '.join(names) or 'the arguments'}"


def _build(row: Row, what: str, **data: object) -> CleanRoomsError:
    if row.cause:
        return row.kind(f"{what} Cause: {row.cause}.", row.todo, cause=row.cause, **data)
    return row.kind(what, row.todo, **data)
