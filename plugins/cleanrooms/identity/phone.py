"""Phone numbers by libphonenumber's metadata (PyPI: phonenumbers), with a fast path for plain shapes."""

from __future__ import annotations

import re

import phonenumbers

from cleanrooms.errors import ConfigError
from cleanrooms.identity.text import Outcome, Reason, opening

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_DIGITS = re.compile(r"[0-9]")
_WRITTEN = re.compile(r"\+?[0-9 ().\-/]+\Z")


def known_region(region: str) -> str:
    """The region in capitals.

    :raises ConfigError: libphonenumber does not know it (ISO 3166 alpha-2 is wanted)
    """
    code = region.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError(
            f"Phone region {region!r} is unknown.", "Use an ISO 3166 two-letter code such as US, GB or DE."
        )
    return code


def e164(text: str, region: str | None = None) -> Outcome:
    """``+`` and digits of a number that is valid for libphonenumber.

    :param region: region of numbers written without a country code (ISO 3166 alpha-2)
    """
    number = parse(text, region)
    if isinstance(number, Reason):
        return number
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | Reason:
    """The parsed, valid number, or the reason why there is none."""
    opened = opening(text)
    if isinstance(opened, Reason):
        return opened
    if not _DIGITS.search(opened) and not any(c.isdigit() for c in opened):
        return Reason.MALFORMED
    if len(set(re.sub(r"[^0-9]", "", opened))) == 1 and not opened.startswith("+"):
        # 0000000000, 999-999-9999 and the like are what forms make of nothing.
        return Reason.PLACEHOLDER
    try:
        number = phonenumbers.parse(opened, region, keep_raw_input=False)
    except phonenumbers.NumberParseException as error:
        national = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return Reason.NO_REGION if national and region is None else Reason.MALFORMED
    if not phonenumbers.is_valid_number(number):
        return Reason.IMPOSSIBLE
    return number


def e164_as_written(text: str, region: str | None) -> Outcome:
    """:func:`e164`, where a number that is written with its country code needs no more than a possible length.

    Dialects whose pages ask for E.164 and no more take such numbers; a national one must be valid, because its country
    code is a guess of ours.
    """
    found = e164(text, region)
    opened = opening(text)
    if found is not Reason.IMPOSSIBLE or isinstance(opened, Reason) or not _WRITTEN.match(opened):
        return found
    digits = "".join(_DIGITS.findall(opened))
    own = region and digits.startswith(str(phonenumbers.country_code_for_region(region)))
    if len(set(digits)) == 1 or not (own or opened.startswith("+")):
        return found
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return found
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return found
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
