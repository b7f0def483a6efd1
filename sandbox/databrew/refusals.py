"""The exceptions that DataBrew's model declares; which one answers which mistake is in ``docs/fidelity.md``."""

from __future__ import annotations

from sandbox.wire import ServiceFault


def missing(kind: str, name: str) -> ServiceFault:
    """404: no such resource in the caller's account and region.

    :param kind: as ``recipe`` or ``job``
    """
    return ServiceFault("ResourceNotFoundException", f"Can't find {kind} {name}.")


def conflict(message: str) -> ServiceFault:
    """409: the change does not fit what is there."""
    return ServiceFault("ConflictException", message)


def invalid(message: str) -> ServiceFault:
    """400: a value of the request."""
    return ServiceFault("ValidationException", message)


def denied(message: str) -> ServiceFault:
    """403: the caller lacks a permission beyond the operation's own."""
    return ServiceFault("AccessDeniedException", message)


def over_quota(quota: int, name: str) -> ServiceFault:
    """402: a quota is used up."""
    return ServiceFault("ServiceQuotaExceededException", f"The quota of {quota} {name} is used up.")


def not_here(what: str) -> ServiceFault:
    """400: the service has it, the local AWS does not; its own words, so that nobody takes them for AWS's."""
    return ServiceFault("ValidationException", f"The local AWS has no {what}; AWS Glue DataBrew has.")
