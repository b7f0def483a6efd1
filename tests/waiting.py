"""Waits for what another process does. Their bound says that something hangs, on however busy a machine; a wait
says nothing about speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

# Seconds: many times what the slowest wait takes on a machine that does nothing else.
PATIENCE = 600.0

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], wanted: Callable[[Seen], object] = bool, pause: float = 0.05) -> Seen:
    """Looks until it sees what is wanted, and returns that.

    :param wanted: whether that is it; what is true unless given
    :param pause: seconds between two looks
    :raises AssertionError: it has not come; says what was seen last
    """
    end = time.monotonic() + PATIENCE
    while not wanted(seen := look()):
        assert time.monotonic() < end, f"{seen!r} after {PATIENCE:.0f} s"
        time.sleep(pause)
    return seen
