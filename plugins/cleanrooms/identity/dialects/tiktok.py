"""TikTok custom audiences and Events API.

Source: ads.tiktok.com help, "List of supported IDs and formats for a customer file". Numbers may be sent with or
without the plus; the page asks for it and prints a digest made without it, so a plus stays where it was written.
Blanks inside an address go, as the page asks.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.identity import email, forms, of_plain, plain
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import BLANKS, Outcome, Reason, trim, without


def normal_email(text: str) -> Outcome:
    return email.lenient(without(text, BLANKS))


def normal_phone(text: str, region: str | None) -> Outcome:
    """Digits, after a plus if there was one; with a region, E.164."""
    found = forms.international(text, region)
    if isinstance(found, Reason) or found.startswith("+"):
        return found
    return f"+{found}" if trim(text).startswith("+") else found


def postal_code(text: str, region: str | None) -> Outcome:
    """Letters and digits; of a code in the US the first five."""
    code = forms.kept(text, "0-9a-z")
    return code[:5] if isinstance(code, str) and region == "US" else code


TIKTOK = Dialect(
    name="tiktok",
    version="2",
    source="https://ads.tiktok.com/help/article/custom-audience-customer-file",
    normalisers={
        "email": regionless(normal_email),
        "phone": normal_phone,
        "first_name": forms.lettered,
        "last_name": forms.lettered,
        "city": forms.lettered,
        "state": forms.lettered,
        "postal_code": postal_code,
        "country": plain.country,
        "mobile_ad_id": plain.mobile_ad_id,
    },
    of_plain={
        "email": of_plain.address(),
        "phone": of_plain.international(
            otherwise=pl.concat_str(of_plain.TEXT.str.extract(r"^(\+?)"), of_plain.DIGITS)
        ),
    },
)
