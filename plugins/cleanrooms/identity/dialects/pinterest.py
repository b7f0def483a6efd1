"""Pinterest conversions and customer lists.

Source: developers.pinterest.com, "Track conversions", as rudderlabs/rudder-transformer's pinterest_tag tests
repeat it: everything trimmed and lower-case, phone and postal code digits only, birth date YYYYMMDD.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, of_plain, plain
from cleanrooms.identity.dialects import meta
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import Outcome


def gender(text: str, region: str | None) -> Outcome:
    """The initial: f, m, or n for non-binary."""
    return "n" if text.strip().lower() in ("n", "non-binary", "nonbinary") else meta.gender(text, region)


PINTEREST = Dialect(
    name="pinterest",
    version="2",
    source="https://developers.pinterest.com/docs/api/v5/events-create/",
    normalisers={
        "email": regionless(email.lenient),
        "phone": forms.international_digits,
        "first_name": forms.lettered,
        "last_name": forms.lettered,
        "city": forms.lettered,
        "state": forms.lettered,
        "postal_code": forms.keeping("0-9"),
        "country": plain.country,
        "birth_date": forms.eight_digits,
        "mobile_ad_id": plain.mobile_ad_id,
        "gender": gender,
    },
    of_plain={"email": of_plain.address(), "phone": of_plain.international_digits()},
)
