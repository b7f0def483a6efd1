"""JSON lines as rows of text."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from cleanrooms.errors import SourceError
from cleanrooms.sources import headers
from cleanrooms.sources.rows import BATCH_ROWS, BadLine, Rows

if TYPE_CHECKING:
    from cleanrooms.config.contract import Contract
    from cleanrooms.config.export import JSONLines

LONGEST_LINE = 4 * 1024**2


def read_json_lines(file: io.RawIOBase, options: JSONLines, contract: Contract, name: str) -> Iterator[Rows]:
    """Rows of a file with one JSON object per line. Numbers keep their digits.

    A row may lack columns, which then have no value; a column that no row has is missing in the file.

    :raises ContractError: a row has a column that the contract does not know, or a column is missing
    :raises SourceError: a line is too long
    """
    names = [column.name for column in contract.columns]
    seen: set[str] = set()
    number = first = 1
    rows: list[list[str | None]] = []
    bad: list[BadLine] = []
    for line in _json_lines(file, name):
        cells = _json_cells(line, number, names, seen)
        number += 1
        if isinstance(cells, BadLine):
            bad.append(cells)
        else:
            rows.append(cells)
        if number - first == BATCH_ROWS:
            headers.check_extra(seen, contract, name)
            yield Rows(_text_batch(rows, names), first, tuple(bad))
            first, rows, bad = number, [], []
    headers.check_extra(seen, contract, name)
    if rows or bad:
        yield Rows(_text_batch(rows, names), first, tuple(bad))
    if seen:
        headers.check(sorted(seen), contract, name)


def _text_batch(rows: list[list[str | None]], names: Sequence[str]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.RecordBatch.from_arrays([pa.array(cells, pa.string()) for cells in columns], names=list(names))


def _json_lines(file: io.RawIOBase, name: str) -> Iterator[bytes]:
    with io.BufferedReader(file, 1024**2) as lines:
        while line := lines.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise SourceError(f"File {name} has a line of more than {LONGEST_LINE} bytes.", file=name)
            if not line.isspace():
                yield line


def _json_cells(line: bytes, number: int, names: Sequence[str], seen: set[str]) -> list[str | None] | BadLine:
    try:
        text = line.decode("utf-8").strip().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return BadLine(number, "line:not_utf8", line.decode("utf-8", "backslashreplace").strip())
    try:
        row = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return BadLine(number, "line:not_json", text)
    if not isinstance(row, dict):
        return BadLine(number, "line:not_an_object", text)
    seen.update(row)
    cells: list[str | None] = []
    for name in names:
        cell = row.get(name)
        if isinstance(cell, bool):
            cell = "true" if cell else "false"
        elif isinstance(cell, str):
            if not _is_text(cell):
                return BadLine(number, f"{name}:not_utf8", text)
        elif cell is not None:
            return BadLine(number, f"{name}:nested", text)
        cells.append(cell)
    return cells


def _is_text(cell: str) -> bool:
    """Whether a text has no lone surrogate, which JSON can write and UTF-8 cannot."""
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
