"""Parquet whose bytes depend on rows and schema only, not on how the rows arrived.

Choices and their measured cost: zstd level 1, because level 3 packs digests slower and larger; a dictionary only for
columns whose values repeat, because a dictionary of new values is built, found too large and thrown away in every row
group; no statistics of digests, because no reader can skip a row group by them.
"""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 131_072
"""Rows of every row group but the last, however large the batches are."""

_SAMPLED_ROWS = 16_384
"""Rows of the first row group, spread over it, by which repetition is judged."""

IDENTITY_METADATA = b"cleanrooms.identity"
"""Key of the field metadata that marks a digest and says how it was made."""


class ParquetSink:
    """Writes record batches as one Parquet file to a file object, which stays open.

    Field metadata of the schema is kept in the file, so that a hashed column still says how it was made.

    :param file: takes bytes in order; it needs no seek
    """

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._file = pa.PythonFile(_NeverClosed(file), "w")
        self._writer: pq.ParquetWriter | None = None
        self._notes: dict[bytes, bytes] = {}

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows; whole row groups are written as soon as they are full."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.rows += batch.num_rows
        while self._waiting_rows >= ROW_GROUP_ROWS:
            self._flush(ROW_GROUP_ROWS)

    def note(self, key: bytes, value: bytes) -> None:
        """Leave metadata in the footer."""
        self._notes[key] = value

    def close(self) -> None:
        """Write the rest and the footer. Without it the file is not Parquet."""
        if self._waiting_rows:
            self._flush(self._waiting_rows)
        writer = self._writer or self._open(self.schema.empty_table())
        if self._notes:
            writer.add_key_value_metadata(self._notes)
        writer.close()

    def _flush(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting, self.schema)
        # One chunk per column: page borders follow chunk borders.
        group = table.slice(0, rows).combine_chunks()
        self._writer = self._writer or self._open(group)
        self._writer.write_table(group, row_group_size=rows)
        rest = table.slice(rows)
        self._waiting = rest.to_batches()
        self._waiting_rows = rest.num_rows

    def _open(self, first: pa.Table) -> pq.ParquetWriter:
        """The file's writer, which needs to know columns by the first row group."""
        plain = [field.name for field in self.schema if not is_digest(field)]
        return pq.ParquetWriter(
            self._file,
            self.schema,
            version="2.6",
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in plain if _repeats(first.column(name))],
            write_statistics=plain,
            data_page_version="1.0",
            data_page_size=1 << 20,
            store_schema=True,
        )


def is_digest(field: pa.Field) -> bool:
    """Whether the column holds digests of an identifier."""
    return IDENTITY_METADATA in (field.metadata or {})


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether values occur twice or more on average; not asked of lists and structs."""
    if pa.types.is_nested(column.type):
        return False
    step = max(len(column) // _SAMPLED_ROWS, 1)
    sample = column.take(pa.array(range(0, len(column), step), pa.int64())).drop_null()
    return 2 * len(pc.unique(sample)) <= len(sample)


class _NeverClosed:
    """Passes writes on and keeps Arrow from closing the file: closing an upload would commit it."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write
        self.tell = file.tell

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass
