"""Meta: Conversions API and custom audiences.

Source: developers.facebook.com, "Customer information parameters"; numbers without a country code are kept as
they are, as Meta's own connectors do. Where a region is given, national numbers get their country code.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, plain, states
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import BLANKS, Outcome, Reason, opening, without

_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m"}


def state(text: str, region: str | None) -> Outcome:
    name = forms.lettered(text)
    return name if isinstance(name, Reason) else states.US.get(name, name)


def postal_code(text: str, region: str | None) -> Outcome:
    code = opening(text)
    if isinstance(code, Reason):
        return code
    code = without(code, BLANKS)
    return code.partition("-")[0][:5] if region == "US" else code.replace("-", "")


def country(text: str, region: str | None) -> Outcome:
    name = forms.lettered(text)
    return name if isinstance(name, Reason) else {"unitedstates": "us"}.get(name, name)


def gender(text: str, region: str | None) -> Outcome:
    opened = opening(text)
    return opened if isinstance(opened, Reason) else _GENDERS.get(opened, Reason.MALFORMED)


META = Dialect(
    name="meta",
    version="1",
    source="https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters",
    normalisers={
        "email": regionless(email.lenient),
        "phone": forms.international_digits,
        "first_name": forms.lettered,
        "last_name": forms.lettered,
        "city": forms.lettered,
        "state": state,
        "postal_code": postal_code,
        "country": country,
        "birth_date": forms.eight_digits,
        "mobile_ad_id": plain.mobile_ad_id,
        "gender": gender,
    },
)
