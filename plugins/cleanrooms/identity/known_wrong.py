"""Published vectors that ours does not follow, with our reading: wrong at their source, or refused on purpose.

They are known by what they say and not by their name, so that a copy in another file is known as well, and that a
vector which expects the right thing of the same input is judged like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KnownWrong:
    """What a source claims and why we do otherwise.

    :param published: the normalised form or the digest that it gives
    :param verdict: what a run says of such a vector
    """

    dialect: str
    identifier: str
    input: str
    published: str
    reading: str
    verdict: str

    @property
    def digest(self) -> str:
        """SHA-256 of what was published, for vectors that give no more."""
        return hashlib.sha256(self.published.encode()).hexdigest()


_READINGS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "its connector keeps an empty number; an empty number has no canonical form here": (
        ("liveramp", "phone", "", ""),
    ),
    "the page asks for a plus and digests without one; a plus stays where it is written": (
        ("tiktok", "phone", "+37493828222", "37493828222"),
    ),
    "an older page of the vendor's drops the plus, the present one asks for it": (
        ("tiktok", "phone", "(657)777-0000", "16577770000"),
    ),
    "a connector adds a plus, another of the same vendor's does not; numbers stay as they are written": (
        ("tiktok", "phone", "12345678901234", "+12345678901234"),
        ("tiktok", "phone", "98765432109876", "+98765432109876"),
    ),
    "a connector digests the number as it is written; the page wants neither blanks nor brackets": (
        ("tiktok", "phone", "+1 (555) 555-5555", "+1 (555) 555-5555"),
    ),
    "a filler of a connector's test; no mobile ad id looks like it": (
        ("tiktok", "mobile_ad_id", "123", "123"),
        ("pinterest", "mobile_ad_id", "abc123", "abc123"),
    ),
    "a connector digests the word; Pinterest's API wants the initial: f, m or n": (
        ("pinterest", "gender", "male", "male"),
        ("pinterest", "gender", "female", "female"),
    ),
    "a connector digests names as they are written; the page wants them in lower case": (
        ("google_ads", "first_name", "Jane", "Jane"),
        ("google_ads", "last_name", "Doe", "Doe"),
    ),
    "a filler of a connector's test; a national number must exist before it gets a country code": (
        ("google_ads", "phone", "6161729102", "+16161729102"),
    ),
    "the Node library keeps a title behind the name; those of Java, .NET and PHP take it away": (
        ("google_data_manager", "first_name", " Alex Dr.", "alex dr."),
    ),
    "the library drops what is not ASCII; Meta's page keeps special characters, encoded in UTF-8": (
        ("meta", "city", "San José", "sanjos"),
        ("meta", "city", "Montréal", "montral"),
    ),
    "the older SDKs drop digits from cities; the page and the newer library keep them": (
        ("meta", "city", "Stanley Park 1234", "stanleypark"),
        ("meta", "city", "Seattle-98121", "seattle"),
    ),
    "the older SDKs write states out; Meta's page and the newer library abbreviate those of the US": (
        ("meta", "state", "California", "california"),
        ("meta", "state", "North Carolina", "northcarolina"),
    ),
    "the library abbreviates Canada's provinces; Meta's page abbreviates states of the US only": (
        ("meta", "state", "Ontario", "on"),
    ),
    "a cleaned text that is no country's code; Meta's page wants the code of ISO 3166": (
        ("meta", "country", "South Korea", "southkorea"),
        ("meta", "country", "Ontario", "ontario"),
        ("meta", "country", "United States of America", "unitedstatesofamerica"),
        ("meta", "country", "Great Britain", "greatbritain"),
        ("meta", "country", "*****UU*****", "uu"),
    ),
    "a connector joins ZIP+4; Meta's page wants the first five digits": (
        ("meta", "postal_code", "94035-1234", "940351234"),
    ),
    "the SDKs cut a code of any country at its dash; Meta's page drops the dash": (
        ("meta", "postal_code", "641041-ABC-XYZ", "641041"),
        ("meta", "postal_code", "98-121-4892", "98"),
    ),
    "a connector keeps the blank inside a name; Meta's own library drops it": (
        ("meta", "first_name", "John Smith1", "john smith1"),
    ),
    "the library takes the first number for the month; without a region it may be the day, so it is refused": (
        ("meta", "birth_date", "05-09-2000", "20000509"),
    ),
    "the page's sample digests are made up: some are no MD5 at all": (
        ("yandex", "phone", "79876543210", "a31259d185ad013e0a663437c605d056"),
    ),
}  # fmt: skip
_REFUSED: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "«na» is what exports write for nothing; the regions whose code it is go without this key": (
        ("amazon_amc_es", "state", "Navarra", "na"),
        ("amazon_amc_it", "state", "Naples", "na"),
    ),
    "«nil» is what exports write for nothing; the few who are called so go without this key": (
        ("amazon_amc_us", "first_name", "Nil", "nil"),
        ("amazon_amc_in", "first_name", "Nil", "nil"),
    ),
}  # fmt: skip
"""Right at their source. Their digest is that of a text which stands for nothing, so it would join strangers."""
KNOWN_WRONG = tuple(
    KnownWrong(*claim, reading, verdict)
    for verdict, readings in (("known wrong", _READINGS), ("refused on purpose", _REFUSED))
    for reading, claims in readings.items()
    for claim in claims
)


def known(vector: Mapping[str, Any], identifier: str) -> KnownWrong | None:
    """What is known of a vector that ours does not follow, or None.

    :param identifier: what we call the vector's field
    """
    claims = (vector.get("normalised"), vector.get("expected"))
    about = (vector["dialect"], identifier, vector.get("input"))
    found = (
        k
        for k in KNOWN_WRONG
        if (k.dialect, k.identifier, k.input) == about and not {k.published, k.digest}.isdisjoint(claims)
    )
    return next(found, None)
