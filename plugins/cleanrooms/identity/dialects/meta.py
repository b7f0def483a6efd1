"""Meta: Conversions API and custom audiences.

Sources: developers.facebook.com, "Customer information parameters", and where it is silent Meta's business SDKs
and facebook/capi-param-builder. Numbers without a country code are kept as they are, as these do; where a region is
given, national numbers get theirs. The libraries drop accents and other scripts from cities; the page keeps them.
"""

from __future__ import annotations

import re

from cleanrooms.identity import email, forms, of_plain, plain, states
from cleanrooms.identity.dialects.base import Dialect, regionless
from cleanrooms.identity.text import BLANKS, Outcome, Reason, opening, without

_COUNTRIES = {
    "usa": "us", "unitedstates": "us", "unitedstatesofamerica": "us", "uk": "gb", "unitedkingdom": "gb",
    "greatbritain": "gb",
}  # fmt: skip
_SLASHED = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})\Z")
_ZIP_PLUS_FOUR = re.compile(r"([0-9]{5})-[0-9]{4}\Z")
_SHORTEST = 7
_STATES = states.US | {"districtofcolumbia": "dc"}
_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m"}


def normal_email(text: str) -> Outcome:
    """An address at a domain with a dot: the SDKs refuse others."""
    address = email.lenient(text)
    if isinstance(address, Reason):
        return address
    return address if "." in address.partition("@")[2].strip(".") else Reason.MALFORMED


def normal_phone(text: str, region: str | None) -> Outcome:
    """Digits; fewer than any country has with its code are no number to the SDKs."""
    number = forms.international_digits(text, region)
    return number if isinstance(number, Reason) or len(number) >= _SHORTEST else Reason.MALFORMED


def state(text: str, region: str | None) -> Outcome:
    name = forms.lettered(text)
    return name if isinstance(name, Reason) else _STATES.get(name, name)


def postal_code(text: str, region: str | None) -> Outcome:
    """Without blanks and dashes; of a code in the US the first five digits.

    Without a region, five digits, a dash and four are taken for one of the US, as the SDKs do.
    """
    code = opening(text)
    if isinstance(code, Reason):
        return code
    code = without(code, BLANKS)
    if region is None and (match := _ZIP_PLUS_FOUR.match(code)):
        code = match[1]
    code = code.partition("-")[0][:5] if region == "US" else code.replace("-", "")
    return code if len(code) > 1 else Reason.MALFORMED


def country(text: str, region: str | None) -> Outcome:
    name = forms.lettered(text)
    return name if isinstance(name, Reason) else plain.country(_COUNTRIES.get(name, name))


def birth_date(text: str, region: str | None) -> Outcome:
    """YYYYMMDD; of a date that begins with month or day, the page's example reads the month first.

    Where both could be the month, only the region says which one is: in the US the first, else it is refused.
    """
    opened = opening(text)
    match = _SLASHED.match(opened) if isinstance(opened, str) else None
    if match is None:
        return forms.eight_digits(text)
    first, second, year = int(match[1]), int(match[3]), match[4]
    if first <= 12 and second <= 12 and first != second and region != "US":
        return Reason.MALFORMED
    month, day = (first, second) if first <= 12 else (second, first)
    return forms.eight_digits(f"{year}-{month:02}-{day:02}")


def gender(text: str, region: str | None) -> Outcome:
    opened = opening(text)
    return opened if isinstance(opened, Reason) else _GENDERS.get(opened, Reason.MALFORMED)


META = Dialect(
    name="meta",
    version="2",
    source="https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters",
    normalisers={
        "email": regionless(normal_email),
        "phone": normal_phone,
        "first_name": forms.lettered,
        "last_name": forms.lettered,
        "city": forms.lettered,
        "state": state,
        "postal_code": postal_code,
        "country": country,
        "birth_date": birth_date,
        "mobile_ad_id": plain.mobile_ad_id,
        "gender": gender,
    },
    of_plain={
        "email": of_plain.address(),
        "phone": of_plain.international_digits(
            where=of_plain.DIGITS.str.strip_chars_start("0").str.len_bytes() >= _SHORTEST
        ),
    },
)
