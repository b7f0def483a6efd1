"""The plain default: what two parties agree on who follow nobody's advertising guide.

Source: ours. Trim (:data:`~cleanrooms.identity.text.BLANKS`), lower-case, one syntactic check per
identifier, placeholders refused, phone numbers as E.164. No Unicode normal form is applied, so that a
partner can repeat every step in plain SQL or Python.
"""

from __future__ import annotations

from cleanrooms.identity import email, phone, plain
from cleanrooms.identity.dialects.base import Dialect, regionless

PLAIN = Dialect(
    name="plain",
    version="1",
    source="cleanrooms.identity.dialects.plain",
    normalisers={
        "email": regionless(email.plain),
        "phone": phone.e164,
        "first_name": plain.name,
        "last_name": plain.name,
        "full_name": plain.name,
        "street": plain.street,
        "city": plain.name,
        "state": plain.name,
        "postal_code": plain.postal_code,
        "country": plain.country,
        "birth_date": plain.birth_date,
        "mobile_ad_id": plain.mobile_ad_id,
    },
)
