"""Files as rows: decompression with a limit, CSV and Parquet (JSON lines: ``jsonlines``).

Every format ends in the same shape: batches of the promised columns as the file writes them (text, for CSV
and JSON), rows counted from 1, and the lines that are no rows at all. Types are the contract's business.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from cleanrooms.errors import SourceError
from cleanrooms.sources import headers
from cleanrooms.sources.rows import BATCH_ROWS, BadLine, Rows

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from cleanrooms.config.contract import Contract
    from cleanrooms.config.export import CSV, Parquet

BLOCK_BYTES = 4 * 1024**2
"""Text of one CSV batch; no line may be longer. Arrow reads up to 32 blocks ahead, so larger ones take much memory."""

ByteSource = IO[bytes] | io.RawIOBase
"""A binary file object to read from."""


class Unpacked(io.RawIOBase):
    """Unpacked content of a file, up to a limit.

    :raises SourceError: on reading: damaged or truncated, or larger than the limit
    """

    def __init__(self, packed: ByteSource, compression: str, max_bytes: int, name: str) -> None:
        self._name = name
        self._compression = compression
        self._left = max_bytes
        self._limit = max_bytes
        self._stream: Any = packed
        if compression != "none":
            self._stream = pa.CompressedInputStream(pa.PythonFile(packed, "r"), compression)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        try:
            count: int = self._stream.readinto(buffer)
        except OSError as error:
            said = str(error).lower()
            why = "is truncated" if "truncated" in said else f"is damaged or not {self._compression}"
            raise SourceError(
                f"File {self._name} {why}.", "Ask the sender to send it again.", file=self._name
            ) from None
        self._left -= count
        if self._left < 0:
            raise SourceError(
                f"File {self._name} unpacks to more than {self._limit} bytes.",
                "If such files are to be expected, raise the export's max_bytes.",
                file=self._name,
            )
        return count


def read_csv(file: Unpacked, options: CSV, contract: Contract, name: str) -> Iterator[Rows]:
    """Rows of a CSV file (RFC 4180, with a header). Blank lines do not count as rows.

    :raises ContractError: the header is not what the contract says
    :raises SourceError: the file is not CSV in UTF-8
    """
    pending: list[BadLine] = []
    lines_to_end = _Lines(file, options.delimiter)
    closed = False

    def set_aside(row: Any) -> str:
        nonlocal closed
        if row.text == lines_to_end.last_line:
            closed = True
            return "skip"
        many = row.actual_columns > row.expected_columns
        pending.append(BadLine(row.number - 1, f"line:too_{'many' if many else 'few'}_fields", row.text))
        return "skip"

    reader, names = _csv_reader(lines_to_end, options, set_aside, name)
    header = headers.check(names, contract, name)
    columns = [names.index(column) for column in header]
    following = 1
    while (batch := _next(reader, name)) is not None:
        chosen = pa.RecordBatch.from_arrays([batch.column(i) for i in columns], names=header)
        lines = sorted(pending, key=lambda line: line.number)
        rows = Rows(chosen, following, tuple(lines))
        after = rows.number(batch.num_rows - 1) + 1 if batch.num_rows else following
        # Lines behind the last row belong to the next batch, so that blocks do not show in the result.
        rows = Rows(chosen, following, tuple(line for line in lines if line.number < after))
        pending = [line for line in lines if line.number >= after]
        following = after
        yield rows
    if not closed:
        raise _unclosed(name)
    if pending:
        yield Rows(_no_rows(header), following, tuple(sorted(pending, key=lambda line: line.number)))


def read_parquet(file: ByteSource, options: Parquet, contract: Contract, name: str) -> Iterator[Rows]:
    """Rows of a Parquet file, which must be seekable.

    :raises ContractError: the columns are not what the contract says
    :raises SourceError: the file is not Parquet
    """
    following = 1
    try:
        parquet = pq.ParquetFile(pa.PythonFile(file, "r"))
        header = headers.check(parquet.schema_arrow.names, contract, name)
        batches = parquet.iter_batches(batch_size=BATCH_ROWS, columns=header)
        while (batch := next(batches, None)) is not None:
            yield Rows(batch.select(header), following)
            following += batch.num_rows
    except (pa.ArrowInvalid, OSError):
        raise SourceError(
            f"File {name} is truncated or not Parquet.", "Ask the sender to send it again.", file=name
        ) from None


class _Lines(io.RawIOBase):
    """Text in full reads, with one more line behind it that no file has and that is no row.

    Where the parser does not come across that line, a quote before it was never closed and has swallowed
    the rest of the file, which Arrow takes for one long field.
    """

    def __init__(self, file: Unpacked, delimiter: str) -> None:
        self.last_line = delimiter * 9_999
        self._buffer = io.BufferedReader(file, 1024**2)
        self._before = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._buffer.read(size)
        if len(data) < size and self._before + data:
            after_line_end = (self._before + data).endswith(b"\n")
            data += f"{'' if after_line_end else chr(10)}{self.last_line}\n".encode()
            self._before = b""
        else:
            self._before = data[-1:]
        return data


def _csv_reader(
    file: _Lines, options: CSV, set_aside: Callable[[Any], str], name: str
) -> tuple[pa.csv.CSVStreamingReader, list[str]]:
    try:
        reader = pa.csv.open_csv(
            pa.PythonFile(file, "r"),
            # Rows are numbered in one thread only.
            read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pa.csv.ParseOptions(
                delimiter=options.delimiter, newlines_in_values=True, invalid_row_handler=set_aside
            ),
            # Bytes first: a cell that is not UTF-8 must not fail its file.
            convert_options=pa.csv.ConvertOptions(
                default_column_type=pa.binary(),
                null_values=list(options.null_values),
                strings_can_be_null=True,
            ),
        )
        return reader, reader.schema.names
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _csv_error(error, name) from None


def _next(reader: pa.csv.CSVStreamingReader, name: str) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowInvalid as error:
        raise _csv_error(error, name) from None


def _csv_error(error: Exception, name: str) -> SourceError:
    """Arrow's messages quote rows, so they are replaced by what they mean."""
    said = str(error)
    if "Empty CSV" in said:
        return SourceError(
            f"File {name} is empty: it has not even a header.", "Ask the sender for the file.", file=name
        )
    if "straddling" in said:
        return _unclosed(name)
    return SourceError(
        f"File {name} cannot be read as CSV in UTF-8.",
        "Check its encoding, delimiter and compression against the source's file in include/sources.",
        file=name,
    )


def _unclosed(name: str) -> SourceError:
    return SourceError(
        f"File {name} has a quote that is never closed, or a line of more than {BLOCK_BYTES} bytes.",
        "Ask the sender whether the file is whole, and to quote fields as RFC 4180 says.",
        file=name,
    )


def _no_rows(names: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in names], names=list(names))
