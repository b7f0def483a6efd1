"""LiveRamp: e-mail hashed by SHA-256, MD5 or SHA-1; phone by SHA-1 and without its country code.

Source: docs.liveramp.com, "Hashing Identifiers".
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, of_plain, plain
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import Outcome, Reason


def normal_phone(text: str) -> Outcome:
    """Ten digits of a North American number, without the country code 1."""
    found = forms.number_digits(text)
    if isinstance(found, Reason):
        return found
    return found[1:] if len(found) == 11 and found.startswith("1") else found


LIVERAMP = Dialect(
    name="liveramp",
    version="2",
    source="https://docs.liveramp.com/connect/en/hashing-identifiers.html",
    normalisers={
        "email": regionless(email.lenient),
        "phone": regionless(normal_phone),
        "first_name": plain.name,
        "last_name": plain.name,
        "street": plain.street,
        "city": plain.name,
        "state": plain.name,
        "postal_code": plain.postal_code,
        "mobile_ad_id": plain.mobile_ad_id,
    },
    of_plain={"email": of_plain.address()},
)
