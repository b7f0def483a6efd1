"""Plain forms of names, places, dates and devices: trimmed, lower-case, one spelling; dialects build on them."""

from __future__ import annotations

import datetime
import re

import phonenumbers

from cleanrooms.identity.text import Outcome, Reason, opening, squeeze

_LETTER = re.compile(r"[^\W\d_]")
_ISO = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})(?:[t ][0-9:.]+(?:z|[+-][0-9:]+)?)?\Z")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z")
_US_ZIP = re.compile(r"([0-9]{5})(?:-?[0-9]{4})?\Z")
_CODE = re.compile(r"[0-9a-z]+(?:[ -][0-9a-z]+)*\Z")

EARLIEST_BIRTH = 1900
"""Birth years before it are typing errors or placeholders such as 1800-01-01."""


def name(text: str, region: str | None = None) -> Outcome:
    """Trimmed, lower-case, runs of blanks as one space; at least one letter of any script."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    return squeeze(opened) if _LETTER.search(opened) else Reason.MALFORMED


def street(text: str, region: str | None = None) -> Outcome:
    """Trimmed, lower-case, runs of blanks as one space; something that is a letter or a digit."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    return squeeze(opened) if any(c.isalnum() for c in opened) else Reason.MALFORMED


def postal_code(text: str, region: str | None = None) -> Outcome:
    """Lower-case code, runs of blanks as one space; for the region US the first five digits."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    code = squeeze(opened)
    if region == "US":
        match = _US_ZIP.match(code)
        if not match:
            return Reason.MALFORMED
        code = match.group(1)
    if not _CODE.match(code):
        return Reason.MALFORMED
    return Reason.PLACEHOLDER if set(code) <= {"0"} or code == "99999" else code


def country(text: str, region: str | None = None) -> Outcome:
    """ISO 3166 alpha-2 code in lower case; a code that libphonenumber knows no region for is refused."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    if len(opened) != 2:
        return Reason.MALFORMED
    code = "gb" if opened == "uk" else opened
    return code if code.upper() in phonenumbers.SUPPORTED_REGIONS else Reason.IMPOSSIBLE


def birth_date(text: str, region: str | None = None) -> Outcome:
    """``YYYY-MM-DD`` of a day that exists, from 1900 on; other orders are ambiguous and refused."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    match = _ISO.match(opened)
    if not match:
        return Reason.MALFORMED
    try:
        day = datetime.date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return Reason.IMPOSSIBLE
    if day == datetime.date(1900, 1, 1):
        return Reason.PLACEHOLDER
    return day.isoformat() if day.year >= EARLIEST_BIRTH else Reason.IMPOSSIBLE


def mobile_ad_id(text: str, region: str | None = None) -> Outcome:
    """Lower-case UUID with hyphens; all zeros (advertising tracking limited) is a placeholder."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    if not _UUID.match(opened):
        return Reason.MALFORMED
    digits = opened.replace("-", "")
    if len(set(digits)) == 1:
        return Reason.PLACEHOLDER
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
