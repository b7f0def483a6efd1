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
        self._waiting: list[np.ndarray] = []
        self._rows = 0
        self._table: np.ndarray | None = None

    def add(self, hashes: pl.Series) -> None:
        """Count keys by their hashes (UInt64)."""
        self._waiting.append(hashes.to_numpy())
        self._rows += len(hashes)
        if self._rows > EXACT_ROWS:
            self._count()

    def most(self) -> int:
        """Rows of the key that most rows own; 0 without keys."""
        if self._table is None:
            return _longest_run(np.sort(np.concatenate([np.empty(0, np.uint64), *self._waiting])))
        return int(self._table.max())

    def _count(self) -> None:
        if self._table is None:
            self._table = np.zeros(1 << _BITS, np.uint32)
        for hashes in self._waiting:
            # Indices of the platform's own kind and one addend: numpy has a loop for exactly that.
            cells = (hashes >> np.uint64(64 - _BITS)).astype(np.intp)
            np.add.at(self._table, cells, np.uint32(1))
        self._waiting = []


def _longest_run(ordered: np.ndarray) -> int:
    if not len(ordered):
        return 0
    # Nearly all keys of a day are different, so only places where two are equal are looked at.
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(equal):
        return 1
    breaks = np.flatnonzero(np.diff(equal) != 1)
    return int(np.diff(np.r_[-1, breaks, len(equal) - 1]).max()) + 1
