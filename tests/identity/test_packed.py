"""Packed texts are what the texts of the column are, one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.identity.packed import Packed

OUT = " ().-"
TEXTS = st.lists(st.none() | st.text("0() .-+é😀x", max_size=30), max_size=30)


def column(texts: list[str | None], parts: int, start: int) -> pl.Series:
    """A column of several chunks that begins inside its buffers."""
    return pl.concat([pl.Series("t", texts, pl.String)] * parts, rechunk=False)[start:]


def without(text: str | None) -> str:
    return "".join(c for c in text or "" if c not in OUT)


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, start=st.integers(0, 5), parts=st.integers(1, 3))
def test_any_column_loses_exactly_these_characters(texts: list[str | None], start: int, parts: int) -> None:
    values = column(texts, parts, start)
    found = Packed.of(values, OUT).series("d")
    assert (found.to_list(), found.name, found.dtype) == ([without(t) for t in values], "d", pl.String)


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS, index=st.integers(0, 40), prefix=st.text("0x+", max_size=4))
def test_bytes_and_prefixes_are_those_of_each_text(texts: list[str | None], index: int, prefix: str) -> None:
    packed, plain = Packed.of(column(texts, 2, 0), OUT), [without(t).encode() for t in texts * 2]
    assert packed.byte(index).tolist() == [t[index] if index < len(t) else 0 for t in plain]
    assert packed.begins(prefix).tolist() == [t.startswith(prefix.encode()) for t in plain]


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text("019", max_size=20), max_size=20), data=st.data())
def test_texts_are_cut_and_chosen_each_for_itself(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.lists(st.integers(0, 25), min_size=len(texts), max_size=len(texts)))
    kept = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    packed = Packed.of(pl.Series("t", texts, pl.String)).behind(np.array(cut, np.int64))
    chosen = packed.chosen(np.array(kept, bool))
    expected = [text[n:] for text, n, keep in zip(texts, cut, kept, strict=True) if keep]
    assert chosen.series("n").to_list() == expected
    assert len(chosen) == sum(kept)
