"""How long to wait between two looks at a query, and when to stop: the same for worker and triggerer."""

from __future__ import annotations

import random
import time

LONGEST_PAUSE = 300.0


class Watch:
    """Counts looks and troubles of one wait.

    The wait ends after ``max_attempts`` looks or after the time these take undisturbed, whichever comes
    first; so neither endless throttling nor a triggerer that restarts makes it longer.

    :param delay: seconds between two looks
    :param started_at: epoch seconds at which the wait began, maybe in another process
    """

    def __init__(self, delay: float, max_attempts: int, started_at: float | None = None) -> None:
        self.delay = delay
        self.max_attempts = max_attempts
        self.started_at = time.time() if started_at is None else started_at
        self.status: str | None = None
        self._looks = 0
        self._troubles = 0

    def saw(self, status: str) -> bool:
        """Record a status; True if it is another one than before."""
        self._looks += 1
        self._troubles = 0
        changed, self.status = status != self.status, status
        return changed

    def stumbled(self) -> None:
        """Record a look that failed for a passing reason."""
        self._looks += 1
        self._troubles += 1

    @property
    def exhausted(self) -> bool:
        """Whether the wait is over."""
        budget = self.delay * self.max_attempts
        return self._looks >= self.max_attempts or (budget > 0 and self.elapsed >= budget)

    @property
    def elapsed(self) -> float:
        """Seconds waited."""
        return time.time() - self.started_at

    def pause(self) -> float:
        """Seconds until the next look; doubled per trouble, and spread so that waits do not march in step."""
        pause = min(self.delay * 2**self._troubles, max(LONGEST_PAUSE, self.delay))
        return pause * random.uniform(1.0, 1.1)  # noqa: S311
