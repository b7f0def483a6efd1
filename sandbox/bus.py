"""The accounts' default event buses, for services of the sandbox that tell what happened to their resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event as EventBridge takes it.

    :param source: as ``aws.cleanrooms``
    :param kind: the ``detail-type``
    :param resources: ARNs
    """

    source: str
    kind: str
    detail: dict[str, Any]
    resources: Sequence[str] = field(default=())


Publisher = Callable[[str, str, Event], None]
_publisher: Publisher | None = None


def use(publisher: Publisher) -> None:
    """Makes ``publisher(account, region, event)`` deliver every event from here on."""
    global _publisher
    _publisher = publisher


def publish(account: str, region: str, event: Event) -> None:
    """Sends an event to the default bus of an account, best effort; it is lost where there is no bus."""
    if _publisher is not None:
        _publisher(account, region, event)
