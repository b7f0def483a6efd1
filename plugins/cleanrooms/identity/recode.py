"""Columns of hexadecimal digests as bytes or base64, by rewriting their Arrow buffers in one call.

Polars decodes hex value by value at twice the cost of the digest itself. Digests of one algorithm are equally long,
so their buffers can be taken as one text.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa


def raw(hexed: pl.Series, size: int) -> pl.Series:
    """The digests' bytes.

    :param hexed: digests of ``size`` bytes in lower-case hex, or null
    """
    return _rewritten(hexed, 2 * size, size, binascii.unhexlify, pa.large_binary())


def base64(hexed: pl.Series, size: int) -> pl.Series:
    """The digests in padded base64; arguments as of :func:`raw`."""

    def encode(text: memoryview) -> bytes:
        return _base64(np.frombuffer(binascii.unhexlify(text), np.uint8).reshape(-1, size))

    return _rewritten(hexed, 2 * size, -(-size // 3) * 4, encode, pa.large_string())


def _base64(digests: np.ndarray) -> bytes:
    """Base64 of rows of equal length, one behind the other.

    Rows are filled up with zeros to whole groups of three, so that one call encodes them all; what the zeros
    became at each end is what base64 writes as padding.
    """
    count, size = digests.shape
    padding = -size % 3
    filled = np.zeros((count, size + padding), np.uint8)
    filled[:, :size] = digests
    text = np.frombuffer(binascii.b2a_base64(filled.data, newline=False), np.uint8).copy().reshape(count, -1)
    if padding:
        text[:, -padding:] = ord("=")
    return text.tobytes()


def _rewritten(
    hexed: pl.Series, width: int, new_width: int, rewrite: Callable[[memoryview], bytes], kind: pa.DataType
) -> pl.Series:
    array = hexed.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if array.offset:
        array = pa.concat_arrays([array, array[:0]])
    if array.null_count == len(array):
        return pl.Series(
            hexed.name, [None] * len(array), pl.Binary if kind == pa.large_binary() else pl.String
        )
    validity, offsets, data = array.buffers()
    starts = np.frombuffer(offsets, np.int64)[: len(array) + 1]
    text = memoryview(data or b"")[starts[0] : starts[-1]]
    if len(text) != width * (len(array) - array.null_count):
        raise ValueError("digests are not all of the same length")
    new_starts = pa.py_buffer((starts - starts[0]) // width * new_width)
    new = pa.Array.from_buffers(
        kind, len(array), [validity, new_starts, pa.py_buffer(rewrite(text))], array.null_count
    )
    result = pl.from_arrow(new)
    assert isinstance(result, pl.Series)
    return result.alias(hexed.name)
