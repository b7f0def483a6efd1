"""The exceptions that the service declares, each made the same way everywhere.

Statuses and members follow botocore's model; which exception answers which mistake follows the
documentation where it says so, else the readings listed in ``docs/fidelity.md``.
"""

from __future__ import annotations

from sandbox.wire import ServiceFault

# The model knows no other resource types; exceptions about other resources leave the type out.
_TYPED = ("CONFIGURED_TABLE", "COLLABORATION", "MEMBERSHIP", "CONFIGURED_TABLE_ASSOCIATION")


def denied(message: str) -> ServiceFault:
    """403: the caller may not, or must not learn whether the resource exists."""
    return ServiceFault("AccessDeniedException", message, reason="INSUFFICIENT_PERMISSIONS")


def missing(kind: str, identifier: str, message: str = "") -> ServiceFault:
    """404: no such resource.

    :param kind: as ``CONFIGURED_TABLE``; also other words, which then only appear in the message
    """
    text = message or f"{kind.replace('_', ' ').capitalize()} {identifier} was not found."
    return ServiceFault("ResourceNotFoundException", text, **_resource(kind, identifier))


def conflict(kind: str, identifier: str, reason: str, message: str) -> ServiceFault:
    """409: ``ALREADY_EXISTS``, ``SUBRESOURCES_EXIST`` or ``INVALID_STATE``."""
    return ServiceFault("ConflictException", message, reason=reason, **_resource(kind, identifier))


def field_invalid(field: str, message: str) -> ServiceFault:
    """400 about one field of the request."""
    listed = [{"name": field, "message": message}]
    return ServiceFault(
        "ValidationException", f"{field}: {message}", reason="FIELD_VALIDATION_FAILED", fieldList=listed
    )


def unready(message: str) -> ServiceFault:
    """400: the request is well formed, but the configuration of the resources does not permit it."""
    return ServiceFault("ValidationException", message, reason="INVALID_CONFIGURATION")


def query_refused(message: str) -> ServiceFault:
    """400: the query breaks an analysis rule."""
    return ServiceFault("ValidationException", message, reason="INVALID_QUERY")


def over_quota(name: str, value: float, message: str) -> ServiceFault:
    """402: a quota of the service is used up."""
    return ServiceFault("ServiceQuotaExceededException", message, quotaName=name, quotaValue=value)


def _resource(kind: str, identifier: str) -> dict[str, str]:
    return {"resourceId": identifier, **({"resourceType": kind} if kind in _TYPED else {})}
