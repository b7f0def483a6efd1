"""How many rows own the most owned key of a day, in memory that does not grow with the day."""

from __future__ import annotations

import numpy as np
import polars as pl

EXACT_ROWS = 1 << 20
"""Keys up to which counts are exact (8 MiB of 64-bit hashes)."""
_BITS = 22
_CELLS = 1 << _BITS


class Owners:
    """Counts equal keys by their 64-bit hashes.

    Up to :data:`EXACT_ROWS` keys the count is exact. Beyond, two tables of 2^22 counters (32 MiB) take over, in
    which strangers may share a counter: a count is then never too small, and too large by the few rows that
    share both counters (about rows / 2^22 on average, so a limit should be well above that).
    """

    def __init__(self) -> None:
        self._waiting: list[pl.Series] = []
        self._rows = 0
        self._tables: tuple[np.ndarray, np.ndarray] | None = None
        self._most = 0

    def add(self, hashes: pl.Series) -> None:
        """Count keys by their hashes (UInt64)."""
        self._rows += len(hashes)
        if self._tables is not None:
            self._count(hashes)
            return
        self._waiting.append(hashes)
        if self._rows > EXACT_ROWS:
            self._tables = np.zeros(_CELLS, np.uint32), np.zeros(_CELLS, np.uint32)
            for each in self._waiting:
                self._count(each)
            self._waiting = []

    def most(self) -> int:
        """Rows of the key that most rows own; 0 without keys."""
        if self._tables is not None:
            return self._most
        if not self._rows:
            return 0
        counts = pl.concat(self._waiting).alias("h").value_counts(name="n").get_column("n")
        return int(counts.max() or 0)  # type: ignore[arg-type]

    def _count(self, hashes: pl.Series) -> None:
        assert self._tables is not None
        values = hashes.to_numpy()
        cells = (
            (values & np.uint64(_CELLS - 1)).astype(np.int64),
            (values >> np.uint64(64 - _BITS)).astype(np.int64),
        )
        for table, cell in zip(self._tables, cells, strict=True):
            np.add.at(table, cell, 1)
        if len(values):
            seen = np.minimum(self._tables[0][cells[0]], self._tables[1][cells[1]])
            self._most = max(self._most, int(seen.max()))
