"""Parquet whose bytes depend on rows and schema only, not on how the rows arrived.

Choices and their measured cost: zstd level 1, because level 3 packs digests slower and larger; no
dictionary for digests, because every value is new.
"""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 131_072
"""Rows of every row group but the last, however large the batches are."""

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
        self._writer = pq.ParquetWriter(
            pa.PythonFile(_NeverClosed(file), "w"),
            schema,
            version="2.6",
            compression="zstd",
            compression_level=1,
            use_dictionary=[field.name for field in schema if not is_digest(field)],
            write_statistics=True,
            data_page_version="1.0",
            data_page_size=1 << 20,
            store_schema=True,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows; whole row groups are written as soon as they are full."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.rows += batch.num_rows
        while self._waiting_rows >= ROW_GROUP_ROWS:
            self._flush(ROW_GROUP_ROWS)

    def close(self) -> None:
        """Write the rest and the footer. Without it the file is not Parquet."""
        if self._waiting_rows:
            self._flush(self._waiting_rows)
        self._writer.close()

    def _flush(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting, self.schema)
        # One chunk per column: page borders follow chunk borders.
        self._writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=rows)
        rest = table.slice(rows)
        self._waiting = rest.to_batches()
        self._waiting_rows = rest.num_rows


def is_digest(field: pa.Field) -> bool:
    """Whether the column holds digests of an identifier."""
    return IDENTITY_METADATA in (field.metadata or {})


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
