"""Look-ups in the sandbox's own Glue and S3 that need no HTTP: for what every call of the clean room asks.

Nothing is remembered between two look-ups: each one reads what the other service holds at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Services(Protocol):
    """What the server offers; see :mod:`sandbox.ministack.lookups`."""

    def glue_table(self, account: str, region: str, database: str, name: str) -> Mapping[str, Any] | None:
        """Returns a table as ``GetTable`` does, ``None`` when the catalog has none."""

    def has_bucket(self, account: str, name: str) -> bool:
        """Returns whether the account owns a bucket of that name."""


_services: Services | None = None


def use(services: Services) -> None:
    """Makes every look-up from here on one of ``services``."""
    global _services
    _services = services


def services() -> Services:
    """Returns the services in use.

    :raises LookupError: the server has not been put together
    """
    if _services is None:
        raise LookupError("no services are known: the sandbox's server calls inside.use() when it starts")
    return _services
