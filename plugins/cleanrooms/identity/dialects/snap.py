"""Snap audiences and Conversions API.

Sources: developers.snap.com, Conversions API "Parameters" and "Best Practices", and where they are silent (birth
dates) segmentio/action-destinations' tests of both APIs. Numbers are digits only, without leading zeros and without
the zero of a number that itself begins with one, as in +44 (0)20; names are lower-case letters without punctuation.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, of_plain, plain
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.dialects.meta import gender
from cleanrooms.identity.text import Outcome


def normal_phone(text: str, region: str | None) -> Outcome:
    """Digits with the country code."""
    return forms.international_digits(text.replace("(0)", ""), region)


SNAP = Dialect(
    name="snap",
    version="2",
    source="https://developers.snap.com/api/marketing-api/Ads-API/audiences",
    normalisers={
        "email": regionless(email.lenient),
        "phone": normal_phone,
        "first_name": forms.lettered,
        "last_name": forms.lettered,
        "city": forms.lettered,
        "state": forms.lettered,
        "postal_code": regionless(forms.unblanked),
        "country": plain.country,
        "birth_date": forms.eight_digits,
        "mobile_ad_id": plain.mobile_ad_id,
        "gender": gender,
    },
    of_plain={
        "email": of_plain.address(),
        "phone": of_plain.international_digits(where=~of_plain.TEXT.str.contains("(0)", literal=True)),
    },
)
