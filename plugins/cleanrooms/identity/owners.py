"""How many rows own the most owned key of a day, in memory that does not grow with the day."""

from __future__ import annotations

import numpy as np
import polars as pl

EXACT_ROWS = 1 << 20
"""Keys up to which counts are exact (8 MiB of 64-bit hashes)."""
_BITS = 23


class Owners:
    """Counts equal keys by their 64-bit hashes.

    Up to :data:`EXACT_ROWS` keys the count is exact. Beyond, a table of 2^23 counters (32 MiB) takes over, in which
    strangers may share a counter: a count is then never too small, and too large by the few rows that share it
    (rows / 2^23 on average, so a limit should be well above that).
    """

    def __init__(self) -> None:
        self._waiting: list[pl.Series] = []
        self._rows = 0
        self._table: np.ndarray | None = None
        self._most = 0

    def add(self, hashes: pl.Series) -> None:
        """Count keys by their hashes (UInt64)."""
        self._waiting.append(hashes)
        self._rows += len(hashes)
        if self._rows > EXACT_ROWS:
            self._count()

    def most(self) -> int:
        """Rows of the key that most rows own; 0 without keys."""
        if self._table is None:
            return _longest_run(self._sorted())
        self._count()
        return self._most

    def _count(self) -> None:
        if self._table is None:
            self._table = np.zeros(1 << _BITS, np.uint32)
        # In the hashes' order the table is walked through once: single steps across it cost five times as much.
        cells, counts = _runs(self._sorted() >> np.uint64(64 - _BITS))
        self._table[cells] += counts.astype(np.uint32)
        self._most = max(self._most, int(self._table[cells].max(initial=0)))
        self._waiting, self._rows = [], 0

    def _sorted(self) -> np.ndarray:
        waiting = pl.concat([pl.Series(dtype=pl.UInt64), *(s.rename("") for s in self._waiting)])
        return np.sort(waiting.to_numpy())


def _runs(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values of an ordered array, and how often each occurs."""
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    return ordered[starts], np.diff(starts, append=len(ordered))


def _longest_run(ordered: np.ndarray) -> int:
    if not len(ordered):
        return 0
    # Nearly all keys of a day are different, so only places where two are equal are looked at.
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(equal):
        return 1
    breaks = np.flatnonzero(np.diff(equal) != 1)
    return int(np.diff(np.r_[-1, breaks, len(equal) - 1]).max()) + 1
