"""Short texts of a column one behind the other, looked at by position: numpy over their bytes.

Polars takes texts apart value by value; asking all of them for one byte, or for what follows their first bytes, is a
single pass over arrays here. For plain ASCII shapes such as phone numbers that is most of what has to be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa

_INLINE = 12
"""Bytes of a text that fit into its view (Arrow's columnar format, variable-size binary view layout)."""
_AFTER = b"\0" * 16
"""Behind the last text, so that looking past its end stays inside the buffer."""
_MASKS = [
    np.array([(1 << 8 * min(max(size - 4 * word, 0), 4)) - 1 for size in range(_INLINE + 1)], np.uint32)
    for word in range(_INLINE // 4)
]
"""Which bytes of each word belong to an inline text of a size."""


@dataclass(frozen=True)
class Packed:
    """Texts; a null one is an empty one here.

    :ivar data: the texts one behind the other, and :data:`_AFTER`
    :ivar starts: where each begins; ``sizes``: bytes of each
    """

    data: bytes
    starts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, values: pl.Series, removed: str = "") -> Packed:
        """The texts without some ASCII characters.

        :param values: String
        """
        array = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, buffer = array.buffers()
        rows = len(array)
        ends = np.frombuffer(offsets, np.int64)[array.offset :][: rows + 1] if rows else np.zeros(1, np.int64)
        text = bytes(memoryview(buffer or b"")[ends[0] : ends[-1]])
        ends = ends - ends[0]
        if removed and text:
            # A byte of a longer character is never an ASCII one, so what is left is UTF-8.
            out = removed.encode("ascii")
            stays = np.frombuffer(text.translate(bytes(byte not in out for byte in range(256))), np.uint8)
            left = np.cumsum(stays, dtype=np.int32 if len(text) < 2**31 else np.int64)
            ends = np.where(ends > 0, left[ends - 1], 0)
            text = text.translate(None, out)
        return cls(text + _AFTER, ends[:-1], np.diff(ends))

    def __len__(self) -> int:
        return len(self.starts)

    def byte(self, index: int) -> np.ndarray:
        """The byte at a position of each text (uint8), 0 behind its end."""
        found = self._bytes[np.minimum(self.starts + index, len(self.data) - 1)]
        return np.where(self.sizes > index, found, np.uint8(0))

    def word(self) -> np.ndarray:
        """The first four bytes of each text as one number; of a shorter one, what follows it as well."""
        return self._words[self.starts]

    def begins(self, prefix: str) -> np.ndarray:
        """Which texts begin with an ASCII prefix."""
        found = self.sizes >= len(prefix)
        for index, wanted in enumerate(prefix.encode("ascii")):
            found &= self.byte(index) == wanted
        return found

    def behind(self, before: np.ndarray | int) -> Packed:
        """The texts without so many of their first bytes."""
        cut = np.minimum(before, self.sizes)
        return Packed(self.data, self.starts + cut, self.sizes - cut)

    def chosen(self, rows: np.ndarray) -> Packed:
        """Some of the texts, by a mask or by places."""
        return Packed(self.data, self.starts[rows], self.sizes[rows])

    def series(self, name: str) -> pl.Series:
        """The texts as a String column without nulls; none may be cut inside of a character."""
        views = np.empty((len(self), 4), np.uint32)
        views[:, 0] = self.sizes
        inline = np.minimum(self.sizes, _INLINE)
        for word, masks in enumerate(_MASKS):
            views[:, 1 + word] = self._words[self.starts + 4 * word] & masks[inline]
        long = np.flatnonzero(self.sizes > _INLINE)
        views[long, 2], views[long, 3] = 0, self.starts[long]
        buffers = [None, pa.py_buffer(views), pa.py_buffer(self.data)]
        array = pa.Array.from_buffers(pa.string_view(), len(self), buffers, 0)
        result = pl.from_arrow(array)
        assert isinstance(result, pl.Series)
        return result.alias(name)

    @cached_property
    def _bytes(self) -> np.ndarray:
        return np.frombuffer(self.data, np.uint8)

    @cached_property
    def _words(self) -> np.ndarray:
        """Four bytes from every position on; little endian, as the views are."""
        return np.ndarray((len(self.data) - 3,), "<u4", self.data, strides=(1,))
