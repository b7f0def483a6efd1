"""Unified ID 2.0 (The Trade Desk).

Source: unifiedid.com docs, "Normalization and Encoding", and IABTechLab/uid2-operator's InputNormalizationTest:
Gmail's dots and +suffix are dropped at gmail.com only, phone numbers must be E.164 with 10 to 15 digits and are
not guessed, digests are base64 of the raw SHA-256. With a region, a national number becomes E.164; one that is
written with the region's own country code needs no more than to be possible, as in the page's «65 1243 5678».
"""

from __future__ import annotations

import re

from cleanrooms.identity import email, of_plain, phone
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import Outcome, Reason, opening

_GMAIL = frozenset({"gmail.com"})
_E164 = re.compile(r"\+[0-9]{10,15}\Z")
_LIKE_E164 = r"^\+[0-9]{10,15}$"


def normal_email(text: str) -> Outcome:
    address = email.lenient(text)
    return address if isinstance(address, Reason) else email.without_dots(address, _GMAIL, drop_suffix=True)


def is_e164(text: str) -> Outcome:
    """The text as it is where UID2's operator accepts it; nothing is trimmed or repaired."""
    if not text:
        return Reason.MISSING
    return text if _E164.match(text) else Reason.MALFORMED


def normal_phone(text: str, region: str | None) -> Outcome:
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    if isinstance(is_e164(opened), str):
        return opened
    number = phone.e164_as_written(opened, region)
    return number if isinstance(number, Reason) else is_e164(number)


UID2 = Dialect(
    name="uid2",
    version="2",
    source="https://unifiedid.com/docs/getting-started/gs-normalization-encoding",
    normalisers={"email": regionless(normal_email), "phone": normal_phone},
    of_plain={
        "email": of_plain.address(dotless=_GMAIL),
        # What is written like E.164 stays as it is, whatever libphonenumber would make of it.
        "phone": of_plain.number(
            where=of_plain.PLAIN.str.contains(_LIKE_E164)
            & ((of_plain.TEXT == of_plain.PLAIN) | ~of_plain.TEXT.str.contains(_LIKE_E164))
        ),
    },
    encoding="base64",
)
