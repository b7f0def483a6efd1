"""Characters and words that all normalisers share: what a blank is, and what stands for nothing."""

from __future__ import annotations

import re
from enum import Enum

BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Every character that trimming removes: Unicode's White_Space and separators, the zero-width space
and the byte-order mark. Engines disagree about trim(), so the set is written out."""

ZERO_WIDTH = "\u200b\ufeff"
"""Those of them that nobody sees, also in the middle of a word."""

PLACEHOLDERS = frozenset({
    "-", "--", "---", "?", ".", "0", "00000", "000000", "n/a", "n.a.", "n.a", "#n/a", "na", "nan", "<na>", "nil",
    "none", "<none>", "null", "(null)", "<null>", "\\n", "undefined", "unknown", "not available", "not applicable",
    "not provided", "not given", "missing", "empty", "blank", "tbd", "tba", "xxx", "deleted", "redacted", "anonymous",
})  # fmt: skip
"""Lower-case texts that exports write where a value is missing: their digest would join strangers."""


class Reason(Enum):
    """Why a value has no canonical form; the value itself is never part of it."""

    MISSING = "missing"
    """Null, empty or nothing but blanks."""
    PLACEHOLDER = "placeholder"
    """A text that stands for nothing, such as n/a or noemail@…."""
    MALFORMED = "malformed"
    """Not of the identifier's form, or refused by the dialect."""
    NO_REGION = "no_region"
    """A national phone number, and no region to read it in."""
    IMPOSSIBLE = "impossible"
    """Of the right form, but no such phone number, date or code exists."""


Outcome = str | Reason


def trim(text: str) -> str:
    """Text without the blanks around it (:data:`BLANKS`)."""
    return text.strip(BLANKS)


def opening(text: str) -> Outcome:
    """Trimmed, lower-case text, or the reason why there is none; how nearly every normaliser begins."""
    text = trim(text).lower()
    if not text:
        return Reason.MISSING
    # Lower-casing can leave a blank at an end only if one was there, so one trim is enough.
    if text in PLACEHOLDERS:
        return Reason.PLACEHOLDER
    return text


def squeeze(text: str) -> str:
    """Every run of blanks as one space."""
    return " ".join(word for word in text.translate(_TO_SPACE).split(" ") if word)


def has_surrogates(text: str) -> bool:
    """Whether halves of characters are among the text: it is no Unicode then and has no digest."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def without(text: str, characters: str) -> str:
    """Text without any of the given characters."""
    return text.translate({ord(c): None for c in characters})


_SURROGATE = re.compile("[\ud800-\udfff]")
_TO_SPACE = {ord(c): " " for c in BLANKS}
