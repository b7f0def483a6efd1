"""Google: the Data Manager library and two readings of Google Ads' documentation.

Sources: googleads/data-manager-python tests/formatter_test.py and googleads/data-manager-java
UserDataFormatterTest; developers.google.com Data Manager API, "Format user data", and Google Ads API, "Enhanced
conversions"; googleads/google-ads-java issue 898. All drop the dots of gmail.com and googlemail.com addresses; the
+suffix goes there too, and by the 2025 page of Google Ads at every domain. Titles before a given name and degrees
after a family name go; places lose everything that is no letter, digit or blank.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import polars as pl

from cleanrooms.identity import email, forms, of_plain, phone, plain
from cleanrooms.identity.dialects.base import Dialect, Normaliser, regionless
from cleanrooms.identity.text import BLANKS, Outcome, Reason, opening, squeeze, trim, without

_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_TITLE = re.compile(r"(?:^|(?<= ))(?:mr|mrs|ms|dr)\.(?: |$)")
_DEGREE = re.compile(r"(?:, ?| )(?:jr\.|sr\.|2nd|3rd|ii|iii|iv|v|vi|cpa|dc|dds|vm|jd|md|phd)$")
_LONGEST_DEGREE = len(", jr.")


def unblanked_gmail(text: str) -> Outcome:
    """As :func:`gmail_email`, after every blank is gone, which the Data Manager's page asks for."""
    return gmail_email(without(text, BLANKS))


def given_name(text: str, region: str | None) -> Outcome:
    """A name without titles such as «Mrs.»."""
    return _stripped(text, _without_titles)


def family_name(text: str, region: str | None) -> Outcome:
    """A name without what follows it, such as «, Jr.» or «PhD»."""
    return _stripped(text, _without_degrees)


def _stripped(text: str, strip: Callable[[str], str]) -> Outcome:
    name = opening(text)
    if isinstance(name, Reason):
        return name
    name = strip(squeeze(name))
    return plain.name(name) if name else Reason.MALFORMED


def _without_titles(name: str) -> str:
    before = ""
    while name != before:
        before, name = name, _TITLE.sub("", name).strip()
    return name


def _without_degrees(name: str) -> str:
    """One degree after the other, each looked for at the end only: names may be as long as a column allows."""
    end = len(name)
    while found := _DEGREE.search(name, max(end - _LONGEST_DEGREE, 0), end):
        end = len(name[: found.start()].rstrip(" "))
    return name[:end]


def place(text: str, region: str | None) -> Outcome:
    """Letters, digits and blanks of a street, city or state."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    kept = "".join(c for c in opened if c in BLANKS or unicodedata.category(c)[0] in "LN")
    return squeeze(kept) or Reason.MALFORMED


def gmail_email(text: str) -> Outcome:
    address = email.lenient(text)
    return address if isinstance(address, Reason) else email.without_dots(address, _GMAIL, drop_suffix=True)


def suffixless_email(text: str) -> Outcome:
    address = email.lenient(text)
    if isinstance(address, Reason):
        return address
    local, _, domain = address.partition("@")
    kept = local.partition("+")[0]
    return email.without_dots(f"{kept}@{domain}", _GMAIL, drop_suffix=True) if kept else Reason.MALFORMED


def digits_phone(text: str, region: str | None) -> Outcome:
    """A plus and the digits; with a region, a national number gets its country code."""
    found = forms.international(text, region)
    return found if isinstance(found, Reason) else f"+{found.removeprefix('+')}"


def postal_code(text: str, region: str | None) -> Outcome:
    """Trimmed only: Google takes it unhashed."""
    opened = opening(text)
    return opened if isinstance(opened, Reason) else trim(text)


def country(text: str, region: str | None) -> Outcome:
    code = plain.country(text)
    return code if isinstance(code, Reason) else code.upper()


_REST: dict[str, Normaliser] = {
    "first_name": given_name,
    "last_name": family_name,
    "street": place,
    "city": place,
    "state": place,
    "postal_code": postal_code,
    "country": country,
}

DATA_MANAGER = Dialect(
    name="google_data_manager",
    version="2",
    source="https://github.com/googleads/data-manager-python",
    normalisers={"email": regionless(unblanked_gmail), "phone": digits_phone, **_REST},
    of_plain={
        "email": of_plain.address(dotless=_GMAIL),
        "phone": of_plain.international(otherwise=pl.concat_str(pl.lit("+"), of_plain.DIGITS)),
    },
)

ADS = Dialect(
    name="google_ads",
    version="2",
    source="https://github.com/googleads/google-ads-java/issues/898",
    normalisers={"email": regionless(gmail_email), "phone": phone.e164_as_written, **_REST},
    of_plain={"email": of_plain.address(dotless=_GMAIL), "phone": of_plain.number()},
)

ADS_2025 = Dialect(
    name="google_ads_2025_docs",
    version="2",
    source="https://developers.google.com/google-ads/api/docs/conversions/upload-offline",
    normalisers={"email": regionless(suffixless_email), "phone": phone.e164_as_written, **_REST},
    of_plain={"email": of_plain.address(dotless=_GMAIL, suffix=False), "phone": of_plain.number()},
)
