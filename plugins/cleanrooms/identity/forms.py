"""Small steps that several dialects share: only digits, only letters, dates as eight digits, own hashes."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable

import phonenumbers

from cleanrooms.identity import phone, plain
from cleanrooms.identity.text import BLANKS, Outcome, Reason, opening, trim, without

_LONGEST = 15
"""Digits of the longest number there is, with its country code (E.164)."""
_DIGESTS = {"MD5": 16, "SHA1": 20, "SHA256": 32}
_EMPTY_NUMBERS = ({"0"}, {"9"})
_LETTERED = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mn", "Mc"})
_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks that choose how a sign before them looks, as emoji carry them: left alone, nobody sees them."""
_HEX = re.compile(r"[0-9a-fA-F]+\Z")


def kept(text: str, pattern: str) -> Outcome:
    """Lower-case text with only the characters of a regular expression's class left."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    return re.sub(f"[^{pattern}]", "", opened) or Reason.MALFORMED


def keeping(pattern: str) -> Callable[[str, str | None], Outcome]:
    """A normaliser that is :func:`kept` with this class."""

    def normalise(text: str, region: str | None) -> Outcome:
        return kept(text, pattern)

    return normalise


def digits(text: str) -> Outcome:
    """Only the ASCII digits of the text; one digit repeated is what forms make of nothing."""
    found = kept(text, "0-9")
    if isinstance(found, Reason):
        return found
    return Reason.PLACEHOLDER if set(found) in _EMPTY_NUMBERS else found


def number_digits(text: str) -> Outcome:
    """:func:`digits` of what is short enough for a phone number; a digest, say, is not."""
    found = digits(text)
    if isinstance(found, str) and len(found.lstrip("0")) > _LONGEST:
        return Reason.MALFORMED
    return found


def international(text: str, region: str | None) -> Outcome:
    """E.164 where a region is given and the number, as written or as bare digits, is valid there; else digits.

    What is written with a country code is never read as a national number; digits that begin with the region's own
    code and make a valid number are taken as having it.
    """
    found = digits(text)
    if isinstance(found, Reason) or region is None:
        return number_digits(text)
    candidates = [text]
    if not trim(text).startswith(("+", "00")):
        code = str(phonenumbers.country_code_for_region(region))
        candidates = [*([f"+{found}"] if found.startswith(code) else []), text, found]
    numbers = (phone.e164(candidate, region) for candidate in candidates)
    return next((n for n in numbers if isinstance(n, str)), number_digits(text))


def international_digits(text: str, region: str | None) -> Outcome:
    """Digits of :func:`international`, without plus and leading zeros."""
    found = international(text, region)
    return found if isinstance(found, Reason) else digits(found.lstrip("+0") or "0")


def unblanked(text: str) -> Outcome:
    """Lower-case text without any blank."""
    opened = opening(text)
    return opened if isinstance(opened, Reason) else without(opened, BLANKS)


def lettered(text: str, region: str | None = None) -> Outcome:
    """Lower-case letters, marks and digits of any script: what «no punctuation, no spaces» comes to."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    kept = "".join(c for c in opened if unicodedata.category(c) in _LETTERED and not _SELECTOR.match(c))
    return kept or Reason.MALFORMED


def eight_digits(text: str, region: str | None = None) -> Outcome:
    """A birth date as YYYYMMDD."""
    day = plain.birth_date(text)
    return day if isinstance(day, Reason) else day.replace("-", "")


def own_digest(text: str, encoding: str = "hex", algorithm: str = "SHA256") -> Outcome:
    """The canonical form of a value that is a digest already, written in hex or base64."""
    text = text.strip(BLANKS)
    size = _DIGESTS[algorithm]
    if not text:
        return Reason.MISSING
    if len(text) == size * 2 and _HEX.match(text):
        raw = bytes.fromhex(text)
    else:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return Reason.MALFORMED
        if len(raw) != size or len(text) % 4:
            return Reason.MALFORMED
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()
