"""Plain e-mail addresses on whole columns, without a Python call per value (see ``email.plain``)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

import polars as pl

from cleanrooms.identity import native
from cleanrooms.identity.automata import matching, together
from cleanrooms.identity.email import EMPTY_ADDRESSES, EMPTY_LOCALS, MAX_LENGTH, PATTERN
from cleanrooms.identity.rewriting import Action, Machine
from cleanrooms.identity.text import BLANKS, PLACEHOLDERS, Reason


def _any_of(texts: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, sorted(texts))) + ")"


_EMPTY_LOCAL = f"^{_any_of(EMPTY_LOCALS)}@"
V = pl.col("v")


def plain(values: pl.Series) -> tuple[pl.Series, Counter[str]]:
    """Canonical addresses and counted reasons; equal to ``email.plain`` on every value."""
    if not native.pays_off(len(values)):
        return _by_steps(values)
    return _machine().normalise(values, MAX_LENGTH, _by_steps)


@cache
def _machine() -> Machine:
    """What becomes of texts of ASCII characters."""
    blanks = "".join(filter(str.isascii, BLANKS))
    symbols = "".join(c for c in map(chr, range(128)) if not c.isupper())
    around = f"[{re.escape(blanks)}]*"
    patterns = (
        PATTERN.strip("^$"), f"{_any_of(EMPTY_LOCALS)}@.*", _any_of(EMPTY_ADDRESSES), _any_of(PLACEHOLDERS), ""
    )  # fmt: skip

    def judge(form: bool, of_nobody: bool, empty: bool, placeholder: bool, blank: bool) -> Action | Reason:
        if blank:
            return Reason.MISSING
        if placeholder or (form and (of_nobody or empty)):
            return Reason.PLACEHOLDER
        return Action(0, "") if form else Reason.MALFORMED

    parts = [matching(f"{around}(?:{pattern}){around}", symbols) for pattern in patterns]
    return Machine.of(together(parts, judge), silent=blanks)


def _by_steps(values: pl.Series) -> tuple[pl.Series, Counter[str]]:
    frame = values.to_frame("v").select(V.str.strip_chars(BLANKS).str.to_lowercase())
    marked = frame.with_columns(good=(_well_formed() & ~_empty()).fill_null(False))
    clean = marked.select(pl.when("good").then(V)).to_series()
    return clean.alias(values.name), _reasons(marked.filter(~pl.col("good")))


def _reasons(refused: pl.DataFrame) -> Counter[str]:
    if not len(refused):
        return Counter()
    reason = (
        pl.when(V.is_null() | (V == ""))
        .then(pl.lit(Reason.MISSING.value))
        .when(V.is_in(pl.Series(sorted(PLACEHOLDERS)).implode()))
        .then(pl.lit(Reason.PLACEHOLDER.value))
        .when(_well_formed())
        .then(pl.lit(Reason.PLACEHOLDER.value))
        .otherwise(pl.lit(Reason.MALFORMED.value))
    )
    return Counter(dict(refused.select(reason.alias("r")).to_series().value_counts().iter_rows()))


def _well_formed() -> pl.Expr:
    return (V.str.len_chars() <= MAX_LENGTH) & V.str.contains(PATTERN)


def _empty() -> pl.Expr:
    """An address that stands for none."""
    return V.is_in(pl.Series(sorted(EMPTY_ADDRESSES)).implode()) | V.str.contains(_EMPTY_LOCAL)
