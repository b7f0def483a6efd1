"""Whole columns in one pass over their bytes by ``cleanrooms_native``, where it is installed.

It is a package of its own (``native/``), because it has to be compiled: hashes by OpenSSL and texts rewritten by an
automaton, over the memory that Polars keeps them in. Every value is the same with it and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

try:
    import cleanrooms_native as library
except ImportError:
    library = None

MANY_ROWS = 32_768
_VIEW = 16
"""Bytes of a view (Arrow's columnar format, variable-size binary view layout)."""
_MOST_BYTES = 1 << 30
"""Of results that are made in one call: their places are 32-bit numbers."""


class Tables(NamedTuple):
    """An automaton over bytes, as the library takes it (``cleanrooms_native.rewrite``).

    :ivar classes: of each byte; ``emitted``: what each byte becomes, 0 for nothing
    :ivar table: where in it the next state begins, by state and class; ``width``: classes
    :ivar actions: of each state; below 0 there is no result: -1 leaves the text to others
    :ivar prefixes: of each action: bytes to drop, bytes of the prefix, the prefix in ``lead`` bytes
    """

    classes: np.ndarray
    emitted: np.ndarray
    table: np.ndarray
    actions: np.ndarray
    prefixes: bytes
    width: int
    lead: int


def available() -> bool:
    """Whether the compiled package is there."""
    return library is not None


def pays_off(rows: int) -> bool:
    """Whether so many texts are worth an automaton, which takes up to a tenth of a second to make."""
    return available() and rows >= MANY_ROWS


def sha256(values: pl.Series, key: bytes | None, *, hexed: bool) -> pl.Series:
    """SHA-256 of every value, HMAC-SHA-256 with a key; null stays null.

    :param values: String or Binary
    :param hexed: lower-case hexadecimal text, otherwise Binary of 32 bytes
    """
    width = 64 if hexed else 32
    kind = pa.string_view() if hexed else pa.binary_view()
    if len(values) > _MOST_BYTES // width:
        middle = len(values) // 2
        return pl.concat([sha256(part, key, hexed=hexed) for part in (values[:middle], values[middle:])])
    given, valid = _opened(values)
    rows = len(values)
    views, data = np.empty(rows * _VIEW, np.uint8), np.empty(rows * width, np.uint8)
    found = library.sha256(*given, key, hexed, views, data)
    return _series(values.name, kind, rows, valid if found < rows else None, [views, data])


def rewrite(values: pl.Series, tables: Tables, longest: int) -> tuple[pl.Series, np.ndarray]:
    """What the automaton makes of texts, null where it makes nothing, and what became of each row (uint8).

    That is 0 for a result and for null, 1 for a text that is left to others, otherwise the action without its minus.

    :param values: String
    :param longest: bytes of a text that is looked at; a longer one is left
    """
    space = len(values) * tables.lead + int(values.str.len_bytes().sum())
    if space > _MOST_BYTES and len(values) > 1:
        middle = len(values) // 2
        found, status = rewrite(values[:middle], tables, longest)
        more, behind = rewrite(values[middle:], tables, longest)
        return pl.concat([found, more]), np.concatenate([status, behind])
    given, valid = _opened(values)
    rows = len(values)
    views, status, data = (np.empty(size, np.uint8) for size in (rows * _VIEW, rows, space))
    used = library.rewrite(*given, tables, longest, views, status, data)
    made = status == 0
    if not made.all():
        valid = made if valid is None else valid & made
    return _series(values.name, pa.string_view(), rows, valid, [views, data[:used]]), status


def _opened(values: pl.Series) -> tuple[tuple[Any, ...], np.ndarray | None]:
    """A column's buffers, first place and number of rows; and which are not null, or None where all are."""
    array = values.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    validity, views, *texts = array.buffers()
    if not array.null_count:
        return (views, tuple(texts), None, array.offset, len(array)), None
    known = array.is_valid().to_numpy(zero_copy_only=False)
    return (views, tuple(texts), validity, array.offset, len(array)), known


def _series(
    name: str, kind: pa.DataType, rows: int, valid: np.ndarray | None, buffers: Sequence[np.ndarray]
) -> pl.Series:
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    array = pa.Array.from_buffers(kind, rows, [bits, *map(pa.py_buffer, buffers)])
    result = pl.from_arrow(array)
    assert isinstance(result, pl.Series)
    return result.alias(name)
