"""Ids, ARNs and times of the service's resources."""

from __future__ import annotations

import uuid

from sandbox import clock


def new_id() -> str:
    """Returns a lower-case UUID, the form of every id of the service."""
    return str(uuid.uuid4())


def now() -> float:
    """Returns the current time in epoch seconds, to the millisecond as the service sends it."""
    return round(clock.now(), 3)


def collaboration_arn(region: str, account: str, identifier: str) -> str:
    """Returns a collaboration's ARN; the account is the creator's."""
    return f"arn:aws:cleanrooms:{region}:{account}:collaboration/{identifier}"


def membership_arn(region: str, account: str, identifier: str) -> str:
    """Returns a membership's ARN; the account is the member's."""
    return f"arn:aws:cleanrooms:{region}:{account}:membership/{identifier}"


def configured_table_arn(region: str, account: str, identifier: str) -> str:
    """Returns a configured table's ARN."""
    return f"arn:aws:cleanrooms:{region}:{account}:configuredtable/{identifier}"


def child_arn(membership: str, kind: str, identifier: str) -> str:
    """Returns the ARN of a membership's child, in the Service Authorization Reference's form.

    :param membership: ARN of the membership
    :param kind: as ``configuredtableassociation`` or ``analysistemplate``
    """
    return f"{membership}/{kind}/{identifier}"


def region_of(arn: str) -> str:
    """Returns the region that an ARN names."""
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    """Returns the account that an ARN names."""
    return arn.split(":")[4]
