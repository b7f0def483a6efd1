"""Characters are taken out of a column as they would be taken out of each text."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.identity.punctuation import without

TEXTS = st.lists(st.none() | st.text("0() .-+é😀x", max_size=20), max_size=30)


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, start=st.integers(0, 5), parts=st.integers(1, 3))
def test_any_column_loses_exactly_these_characters(texts: list[str | None], start: int, parts: int) -> None:
    values = pl.concat([pl.Series("t", texts, pl.String)] * parts, rechunk=False)[start:]
    expected = [None if t is None else "".join(c for c in t if c not in " ().-") for t in values.to_list()]
    found = without(values, " ().-")
    assert (found.to_list(), found.name, found.dtype) == (expected, "t", pl.String)
