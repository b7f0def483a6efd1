"""Plain e-mail addresses on whole columns, without a Python call per value (see ``email.plain``)."""

from __future__ import annotations

from collections import Counter

import polars as pl

from cleanrooms.identity.email import EMPTY_ADDRESSES, EMPTY_LOCALS, MAX_LENGTH, PATTERN
from cleanrooms.identity.text import BLANKS, PLACEHOLDERS, Reason

_LOCAL = "@"


def plain(values: pl.Series) -> tuple[pl.Series, Counter[str]]:
    """Canonical addresses and counted reasons; equal to ``email.plain`` on every value."""
    v, r = pl.col("v"), pl.col("r")
    empty = pl.Series(sorted(PLACEHOLDERS))
    reason = (
        pl.when(v.is_null() | (v == ""))
        .then(pl.lit(Reason.MISSING.value))
        .when(v.is_in(empty.implode()))
        .then(pl.lit(Reason.PLACEHOLDER.value))
        .when((v.str.len_chars() > MAX_LENGTH) | ~v.str.contains(PATTERN))
        .then(pl.lit(Reason.MALFORMED.value))
        .when(
            v.is_in(pl.Series(sorted(EMPTY_ADDRESSES)).implode())
            | v.str.split_exact(_LOCAL, 1)
            .struct.field("field_0")
            .is_in(pl.Series(sorted(EMPTY_LOCALS)).implode())
        )
        .then(pl.lit(Reason.PLACEHOLDER.value))
    )
    frame = values.to_frame("v").select(v.str.strip_chars(BLANKS).str.to_lowercase()).with_columns(r=reason)
    found = frame.filter(r.is_not_null()).get_column("r").value_counts()
    counts = Counter(dict(zip(found["r"].to_list(), found["count"].to_list(), strict=True)))
    clean = frame.select(pl.when(r.is_null()).then(v)).to_series()
    return clean.alias(values.name), counts
