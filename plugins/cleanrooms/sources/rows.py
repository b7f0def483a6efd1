"""Rows of a file or query on their way to the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from cleanrooms.tables.parquet import ROW_GROUP_ROWS

BATCH_ROWS = 32_768
"""Rows of one JSON or Parquet batch."""

JOINED_BYTES = 24 * 1024**2
JOINED_ROWS = ROW_GROUP_ROWS
"""Cells, and rows, that are worked on at once. Fewer take more time, as a recipe's steps cost some milliseconds a
batch, whatever its size; more take more memory. As many as a row group has need not be copied together for it."""


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

    def split(self, at: int) -> tuple[Rows, Rows]:
        """The rows before and from an index, which may count from the end; bad lines stay in front of their row."""
        at = at % self.batch.num_rows
        first = self.number(at)
        before = tuple(line for line in self.bad_lines if line.number < first)
        after = self.bad_lines[len(before) :]
        return Rows(self.batch[:at], self.first, before), Rows(self.batch[at:], first, after)


def joined(parts: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows of one file in fewer, larger batches (:data:`JOINED_BYTES`, :data:`JOINED_ROWS`)."""
    waiting: list[Rows] = []
    for rows in parts:
        if waiting and not rows.batch.schema.equals(waiting[0].batch.schema):
            yield _one(waiting)
            waiting = []
        waiting.append(rows)
        while (over := sum(each.batch.num_rows for each in waiting) - JOINED_ROWS) > 0:
            enough, rest = waiting.pop().split(-over)
            yield _one([*waiting, enough])
            waiting = [rest]
        if over == 0 or sum(each.batch.nbytes for each in waiting) >= JOINED_BYTES:
            yield _one(waiting)
            waiting = []
    if waiting:
        yield _one(waiting)


def _one(parts: list[Rows]) -> Rows:
    batch = pa.concat_batches([part.batch for part in parts]) if len(parts) > 1 else parts[0].batch
    return Rows(batch, parts[0].first, tuple(line for part in parts for line in part.bad_lines))
