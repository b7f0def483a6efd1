"""Partners' forms made of the plain one, for whole columns, where they certainly follow from it.

A dialect is a function of one text and takes 2 to 40 microseconds a value; the plain dialect takes a tenth of one for a
whole column. Most addresses and numbers are the same in both but for a plus or Gmail's dots, and which ones can be told
from the text. The others go through the dialect's own function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers
import polars as pl

from cleanrooms.identity.text import BLANKS, Reason

TEXT, PLAIN, DIGITS = pl.col("text"), pl.col("plain"), pl.col("digits")
"""What was written, without the blanks around it; its plain form, or the reason why there is none; its ASCII digits."""

_PUNCTUATED = r"^\+?[0-9 ().-]+$"
_E164 = PLAIN.str.starts_with("+")
_IMPOSSIBLE = Reason.IMPOSSIBLE.value == PLAIN
_ABROAD = TEXT.str.starts_with("+") | TEXT.str.starts_with("00")
_LONGEST = 15
"""Digits of a number with its country code (E.164)."""


@dataclass(frozen=True)
class OfPlain:
    """How a dialect's outcome follows from the plain one.

    :ivar outcome: by the default region, an expression of the dialect's form, or of the reason why there is none; null
        where neither is certain, and no expression where it nowhere is
    """

    outcome: Callable[[str | None], pl.Expr | None]

    def column(
        self, texts: pl.Series, plain: Callable[[pl.Series, str | None], pl.Series], region: str | None
    ) -> pl.Series | None:
        """The dialect's outcomes of texts; None where none is certain.

        :param plain: gives their plain forms or reasons, where known
        """
        if (outcome := self.outcome(region)) is None:
            return None
        frame = pl.DataFrame({"text": texts.str.strip_chars(BLANKS), "plain": plain(texts, region)})
        if DIGITS.meta.output_name() in outcome.meta.root_names():
            frame = frame.with_columns(digits=TEXT.str.replace_all("[^0-9]", ""))
        return frame.select(outcome).to_series()


def address(
    *, dotless: frozenset[str] = frozenset(), suffix: bool = True, only: str | None = None
) -> OfPlain:
    """The plain address, of some domains without the dots and the +suffix that their mailboxes ignore.

    :param suffix: whether addresses of all other domains keep their +suffix
    :param only: the characters, as a class of a regular expression, of addresses of which this is certain
    """
    made = PLAIN if suffix else PLAIN.str.replace(r"^([^+]*)\+.*@", "$1@")
    for domain in sorted(dotless):
        end = f"@{domain}"
        bare = PLAIN.str.strip_suffix(end).str.replace(r"\+.*$", "").str.replace_all(".", "", literal=True)
        made = pl.when(PLAIN.str.ends_with(end)).then(pl.concat_str(bare, pl.lit(end))).otherwise(made)
    found = PLAIN.is_not_null() & ~made.str.starts_with("@")
    if only:
        found = found & PLAIN.str.contains(f"^[{only}]+$")
    outcome = pl.when(found).then(made)
    return OfPlain(lambda region: outcome)


def number(*, plus: bool = True, where: pl.Expr | None = None, refused: bool = True) -> OfPlain:
    """E.164, for dialects that take it wherever there is one.

    :param plus: whether it keeps its plus
    :param where: what else must hold
    :param refused: whether a national number that no region has is none here, too
    """
    found = _E164 if where is None else _E164 & where

    def outcome(region: str | None) -> pl.Expr:
        certain = pl.when(found).then(_number(plus))
        if refused and region is not None:
            certain = certain.when(_IMPOSSIBLE & _national(region)).then(PLAIN)  # type: ignore[assignment]
        return certain

    return OfPlain(outcome)


def international(
    *, plus: bool = True, where: pl.Expr | None = None, otherwise: pl.Expr | None = None
) -> OfPlain:
    """The same of ``forms.international``, which reads digits that begin with the region's code as having it.

    :param otherwise: what becomes of the digits of a number that no region has
    """

    def outcome(region: str | None) -> pl.Expr | None:
        if region is None:
            return None
        with_code = DIGITS.str.starts_with(_code(region))
        alike = _ABROAD | ~with_code | (pl.concat_str(pl.lit("+"), DIGITS) == PLAIN)
        found = _E164 & TEXT.str.contains(_PUNCTUATED) & alike
        certain = pl.when(found if where is None else found & where).then(_number(plus))
        if otherwise is None:
            return certain
        written = TEXT.str.contains(_PUNCTUATED) & (_ABROAD | ~with_code)
        left = _IMPOSSIBLE & written & (DIGITS.str.len_bytes() <= _LONGEST)
        return certain.when(left if where is None else left & where).then(otherwise)

    return OfPlain(outcome)


def international_digits(*, where: pl.Expr | None = None) -> OfPlain:
    """The same of ``forms.international_digits``, which has neither plus nor leading zeros."""
    # Of nothing but zeros and nines nothing is left, or nothing that stands for a person.
    otherwise = pl.when(DIGITS.str.contains("[1-8]")).then(DIGITS.str.strip_chars_start("0"))
    return international(plus=False, where=where, otherwise=otherwise)


def _national(region: str) -> pl.Expr:
    return TEXT.str.contains(_PUNCTUATED) & ~_ABROAD & ~DIGITS.str.starts_with(_code(region))


def _code(region: str) -> str:
    return str(phonenumbers.country_code_for_region(region))


def _number(plus: bool) -> pl.Expr:
    return PLAIN if plus else PLAIN.str.strip_prefix("+")
