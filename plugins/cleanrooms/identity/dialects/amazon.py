"""Amazon: the Conversions API, and Amazon Marketing Cloud per country.

Sources: aws-solutions/amazon-marketing-cloud-uploader-from-aws (normalisers and sample data) and
amzn/amazon-ads-advertiser-audience-normalization-sdk-py for street addresses. Where their code turns a bad value
into the digest of nothing, ours refuses it.
"""

from __future__ import annotations

import re

from cleanrooms.identity import email, forms, of_plain, phone, states, streets
from cleanrooms.identity.dialects.base import Dialect, Normaliser, regionless
from cleanrooms.identity.text import ZERO_WIDTH, Outcome, Reason, opening, trim, without

AMC_COUNTRIES = ("us", "ca", "gb", "de", "fr", "it", "es", "jp", "in")
_FOLDS = str.maketrans({"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "æ": "ae"})
_POSTAL = {
    "ca": (r"[^0-9A-Za-z]", 6, re.compile(r"([A-Za-z][0-9]){3}\Z")),
    "gb": (
        r"[^0-9A-Za-z]",
        7,
        re.compile(r"([A-Za-z]{1,2}[0-9]{2,3}|[A-Za-z]{1,2}[0-9][A-Za-z][0-9])[A-Za-z]{2}\Z"),
    ),
    "in": (r"[^0-9]", 6, re.compile(r"[0-9]{6}\Z")),
    "jp": (r"[^0-9]", 7, re.compile(r"[0-9]{7}\Z")),
}
_FIVE_DIGITS = (r"[^0-9]", 5, re.compile(r"[0-9]{5}\Z"))


def cleaned_email(characters: str) -> Normaliser:
    """A normaliser of addresses that drops every character outside the class first."""

    def normalise(text: str, region: str | None) -> Outcome:
        address = forms.kept(text, characters)
        return address if isinstance(address, Reason) else email.lenient(address)

    return normalise


def digits_phone(text: str, region: str | None) -> Outcome:
    """Digits; with a region, those of the E.164 number."""
    found = forms.international(text, region)
    return found if isinstance(found, Reason) else found.removeprefix("+")


def e164_digits(text: str, region: str | None) -> Outcome:
    """Digits of the E.164 number: AMC reads a number without a plus as one that has its country code."""
    number = phone.e164(text, region)
    if isinstance(number, Reason) and not trim(text).startswith("+"):
        number = phone.e164("+" + trim(text), None)
    return number if isinstance(number, Reason) else number.removeprefix("+")


def folded(text: str, region: str | None = None) -> Outcome:
    """ASCII letters and digits, German and Nordic letters written out, all others dropped."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    return re.sub(r"[^a-z0-9]", "", opened.translate(_FOLDS)) or Reason.MALFORMED


def _postal_code(country: str) -> Normaliser:
    dropped, length, shape = _POSTAL.get(country, _FIVE_DIGITS)

    def normalise(text: str, region: str | None) -> Outcome:
        opened = opening(text)
        if isinstance(opened, Reason):
            return opened
        code = re.sub(dropped, "", trim(text))[:length]
        return code if shape.match(code) else Reason.MALFORMED

    return normalise


def _state(country: str) -> Normaliser:
    table = states.AMC.get(country, {})

    def normalise(text: str, region: str | None) -> Outcome:
        name = forms.kept(text, "a-z")
        return name if isinstance(name, Reason) else table.get(name, name[:2])

    return normalise


def _street(country: str) -> Normaliser:
    def normalise(text: str, region: str | None) -> Outcome:
        opened = opening(text)
        if isinstance(opened, Reason):
            return opened
        found = streets.abbreviated(without(opened, ZERO_WIDTH), country)
        # Words written together can make a new one («c/» and «o»): only what stays what it is is canonical.
        return found if found and streets.abbreviated(found, country) == found else Reason.MALFORMED

    return normalise


def _marketing_cloud(country: str) -> Dialect:
    return Dialect(
        name=f"amazon_amc_{country}",
        version="2",
        source="https://github.com/aws-solutions/amazon-marketing-cloud-uploader-from-aws",
        normalisers={
            "email": cleaned_email(r"\w.@-"),
            "phone": e164_digits,
            "first_name": folded,
            "last_name": folded,
            "street": _street(country),
            "city": forms.keeping("a-z0-9"),
            "state": _state(country),
            "postal_code": _postal_code(country),
        },
        # What is no number of the region may be one with a country code.
        of_plain={
            "email": of_plain.address(only="a-z0-9_.@-"),
            "phone": of_plain.number(plus=False, refused=False),
        },
    )


CONVERSIONS = Dialect(
    name="amazon_conversions",
    version="2",
    source="https://advertising.amazon.com/API/docs/en-us/guides/conversions-api",
    normalisers={
        "email": cleaned_email(r"a-z0-9.@+_\-"),
        "phone": digits_phone,
        "first_name": forms.keeping("a-z0-9"),
        "last_name": forms.keeping("a-z0-9"),
        "street": forms.keeping("a-z0-9"),
        "city": forms.keeping("a-z0-9"),
        "state": forms.keeping("a-z0-9"),
        "postal_code": regionless(forms.unblanked),
    },
    of_plain={
        "email": of_plain.address(only="a-z0-9_.@+-"),
        "phone": of_plain.international(plus=False, otherwise=of_plain.DIGITS),
    },
)
MARKETING_CLOUD = tuple(_marketing_cloud(c) for c in AMC_COUNTRIES)
