"""The service's request rates: so many calls of an operation per second and account (User Guide, "Quotas")."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.wire import ServiceFault

PER_SECOND = 5.0
_OTHERS = {"GetProtectedQuery": 20.0, "GetConfiguredTable": 20.0}


class Rates:
    """One bucket of tokens per account and operation; as many as a second's calls may come at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def admit(self, account: str, operation: str) -> None:
        """Counts a call.

        :raises ServiceFault: ThrottlingException
        """
        rate, now = _OTHERS.get(operation, PER_SECOND), self._clock()
        with self._lock:
            left, before = self._buckets.get((account, operation), (rate, now))
            left = min(rate, left + (now - before) * rate)
            self._buckets[account, operation] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            raise ServiceFault(
                "ThrottlingException", f"Rate exceeded: {operation} takes {rate:g} calls a second."
            )
