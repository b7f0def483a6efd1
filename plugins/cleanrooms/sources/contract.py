"""Rows against the contract of columns: typed rows for the lake, bad ones for the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cleanrooms.sources.cells import arrow_type, read_cells

if TYPE_CHECKING:
    from cleanrooms.config.contract import Contract
    from cleanrooms.sources.rows import Rows


@dataclass(frozen=True)
class BadRow:
    """A row that breaks the contract. Its cells are personal data, so no text form shows them.

    :ivar number: number of the row in its file, from 1
    :ivar reasons: ``column:kind`` for each bad cell, or ``line:kind``
    :ivar cells: the contract's columns as they came, or None where the line is no row
    :ivar line: the line as it came, where it is no row
    """

    number: int
    reasons: tuple[str, ...]
    cells: Mapping[str, str | None] | None = None
    line: str | None = None

    def __repr__(self) -> str:
        return f"BadRow({self.number}, {self.reasons})"


@dataclass(frozen=True)
class Checked:
    """What became of some rows: ``good`` has the contract's schema, ``bad`` is in the file's order."""

    good: pa.RecordBatch
    bad: tuple[BadRow, ...]

    @property
    def rows(self) -> int:
        return self.good.num_rows + len(self.bad)


def contract_schema(contract: Contract) -> pa.Schema:
    """Schema of rows that keep the contract: its columns in its order."""
    return pa.schema([(column.name, arrow_type(column)) for column in contract.columns])


def check_rows(rows: Rows, contract: Contract) -> Checked:
    """Read every cell in the contract's type and set the bad rows aside.

    :raises ContractError: a column is of a kind from which the contract's type cannot come
    """
    reasons: dict[int, list[str]] = {}
    columns = []
    for values, column in zip(rows.batch.columns, contract.columns, strict=True):
        typed, bad = read_cells(values, column)
        columns.append(typed)
        for index, kind in bad.items():
            reasons.setdefault(index, []).append(f"{column.name}:{kind}")
    good = pa.RecordBatch.from_arrays(columns, schema=contract_schema(contract))
    if reasons:
        good = good.filter(pa.array([index not in reasons for index in range(good.num_rows)]))
    broken = [BadRow(line.number, (line.reason,), line=line.text) for line in rows.bad_lines]
    broken += [
        BadRow(rows.number(index), tuple(why), _cells(rows.batch, index)) for index, why in reasons.items()
    ]
    return Checked(good, tuple(sorted(broken, key=lambda row: row.number)))


def _cells(batch: pa.RecordBatch, index: int) -> dict[str, str | None]:
    return {
        name: _text(column[index]) for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }


def _text(cell: pa.Scalar) -> str | None:
    value: Any = cell.as_py()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)
