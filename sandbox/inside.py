"""The sandbox's own Glue, S3 and CloudWatch Logs without HTTP: for what every call of the clean room needs.

Nothing is remembered between two look-ups: each one reads what the other service holds at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Services(Protocol):
    """What the server offers; see :mod:`sandbox.ministack.inside`."""

    def glue_table(self, account: str, region: str, database: str, name: str) -> Mapping[str, Any] | None:
        """Returns a table as ``GetTable`` does, ``None`` when the catalog has none."""

    def has_bucket(self, account: str, name: str) -> bool:
        """Returns whether the account owns a bucket of that name."""

    def put_log_events(
        self, account: str, region: str, group: str, stream: str, events: Sequence[Any]
    ) -> None:
        """Appends events, as ``PutLogEvents`` takes them, to a stream that is made where it is missing."""


_services: Services | None = None


def use(services: Services) -> None:
    """Makes every call from here on one of ``services``."""
    global _services
    _services = services


def services() -> Services:
    """Returns the services in use.

    :raises LookupError: the server has not been put together
    """
    if _services is None:
        raise LookupError("no services are known: the sandbox's server calls inside.use() when it starts")
    return _services
