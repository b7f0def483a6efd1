"""The clean room's clock, which tests can put forward: ``POST /_sandbox/clock {"ahead_seconds": 86400}``.

Only what Clean Rooms stamps and counts follows it (budgets that refresh, times that it shows); requests
are signed, and the other services run, by the machine's clock.
"""

from __future__ import annotations

import time
from typing import Any

_ahead = 0.0


class InvalidClock(Exception):
    """The posted document does not say how far ahead the clock is to be."""


def now() -> float:
    """Returns the clean room's time in epoch seconds."""
    return time.time() + _ahead


def set_ahead(seconds: float) -> None:
    """Puts the clock so many seconds ahead of the machine's; 0 puts it right."""
    global _ahead
    _ahead = seconds


def set_from(document: Any) -> None:
    """Follows a posted document.

    :raises InvalidClock: it is not ``{"ahead_seconds": number}``
    """
    seconds = document.get("ahead_seconds") if isinstance(document, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise InvalidClock("ahead_seconds: a number is needed")
    set_ahead(float(seconds))


def shown() -> dict[str, float]:
    """Returns the clock's state as JSON."""
    return {"now": now(), "ahead_seconds": _ahead}
