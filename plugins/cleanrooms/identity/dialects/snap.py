"""Snap audiences and Conversions API.

Source: Snap Marketing API, "Hashing", as segmentio/action-destinations' snap-audiences tests repeat it:
digits only, without leading zeros and without the zero of a number that itself begins with one, as in
+44 (0)20; other identifiers trimmed and lower-case.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, plain
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.dialects.meta import gender
from cleanrooms.identity.text import Outcome


def normal_phone(text: str, region: str | None) -> Outcome:
    """Digits with the country code."""
    return forms.international_digits(text.replace("(0)", ""), region)


SNAP = Dialect(
    name="snap",
    version="1",
    source="https://developers.snap.com/api/marketing-api/Ads-API/audiences",
    normalisers={
        "email": regionless(email.lenient),
        "phone": normal_phone,
        "first_name": plain.name,
        "last_name": plain.name,
        "city": forms.lettered,
        "state": forms.lettered,
        "postal_code": regionless(forms.unblanked),
        "country": plain.country,
        "mobile_ad_id": plain.mobile_ad_id,
        "gender": gender,
    },
)
