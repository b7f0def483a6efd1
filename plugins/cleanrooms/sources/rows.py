"""Rows of a file or query on their way to the contract."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

BATCH_ROWS = 32_768
"""Rows of one JSON or Parquet batch."""


@dataclass(frozen=True)
class BadLine:
    """A line that is no row. ``text`` is personal data: it goes to the quarantine and nowhere else."""

    number: int
    reason: str
    text: str

    def __repr__(self) -> str:
        return f"BadLine({self.number}, {self.reason!r})"


@dataclass(frozen=True)
class Rows:
    """Some rows of a file, in order.

    :ivar batch: the contract's columns in the contract's order, as written in the file
    :ivar first: number of the first row, from 1
    :ivar bad_lines: lines among and before the rows; they count as rows
    """

    batch: pa.RecordBatch
    first: int
    bad_lines: tuple[BadLine, ...] = ()

    def number(self, index: int) -> int:
        """Number of a row of the batch in its file."""
        number = self.first + index
        for line in self.bad_lines:
            if line.number > number:
                break
            number += 1
        return number
