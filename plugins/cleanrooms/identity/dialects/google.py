"""Google: the Data Manager library and two readings of Google Ads' documentation.

Sources: googleads/data-manager-python tests/formatter_test.py; developers.google.com Google Ads API,
"Enhanced conversions"; googleads/google-ads-java issue 898. All drop the dots of gmail.com and googlemail.com
addresses; the +suffix goes there too, and by the 2025 page of Google Ads at every domain.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, phone, plain
from cleanrooms.identity.dialects.base import Dialect, Normaliser, regionless
from cleanrooms.identity.text import Outcome, Reason, opening, squeeze

_GMAIL = frozenset({"gmail.com", "googlemail.com"})


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
    return opened if isinstance(opened, Reason) else squeeze(opened).upper()


def country(text: str, region: str | None) -> Outcome:
    code = plain.country(text)
    return code if isinstance(code, Reason) else code.upper()


_REST: dict[str, Normaliser] = {
    "first_name": plain.name,
    "last_name": plain.name,
    "street": plain.street,
    "city": plain.name,
    "state": plain.name,
    "postal_code": postal_code,
    "country": country,
}

DATA_MANAGER = Dialect(
    name="google_data_manager",
    version="1",
    source="https://github.com/googleads/data-manager-python",
    normalisers={"email": regionless(gmail_email), "phone": digits_phone, **_REST},
)

ADS = Dialect(
    name="google_ads",
    version="1",
    source="https://github.com/googleads/google-ads-java/issues/898",
    normalisers={"email": regionless(gmail_email), "phone": phone.e164, **_REST},
)

ADS_2025 = Dialect(
    name="google_ads_2025_docs",
    version="1",
    source="https://developers.google.com/google-ads/api/docs/conversions/upload-offline",
    normalisers={"email": regionless(suffixless_email), "phone": phone.e164, **_REST},
)
