"""Synthetic people, one per household of the data set and some whom only the brand knows.

Names come from Faker in several languages, addresses are under ``.example`` (RFC 2606) and phone numbers in
the fictional range 555-0100 to 555-0199, so that no real person can be met.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from faker import Faker

from examples import journey

SEED = 2017
LOCALES = ("en_US", "en_US", "en_US", "es_MX", "fr_FR", "de_DE", "pl_PL")
DOMAINS = ("mail.example", "post.example", "inbox.example", "family.example", "web-mail.example")
AREAS = (
    "201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215", "216", "217",
    "301", "302", "303", "304", "305", "307", "308", "309", "310", "312", "402", "404", "405", "406", "408",
    "501", "502", "503", "504", "505",
)  # fmt: skip
AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
AGE_WEIGHTS = (6, 18, 24, 36, 7, 9)

BRAND_ONLY = 600
"""People in the brand's CRM who never shopped at the retailer."""

SHARED_FAMILY = 0.03
"""Share of households that use the e-mail address of another one: parents and grown-up children."""


@dataclass(frozen=True)
class Person:
    """Whoever speaks for a household, in canonical spelling; systems hold dirty spellings of it.

    ``household`` is the data set's household id, or above 100,000 for people only the brand knows.
    """

    household: int
    first_name: str
    last_name: str
    email: str
    phone: str
    age_band: str


@cache
def people() -> tuple[Person, ...]:
    """All people by household id; always the same ones."""
    rng = Random(SEED)
    names = _names()
    seen: dict[str, int] = {}
    made: list[Person] = []
    for number, (household, age) in enumerate(_households(rng)):
        first, last = next(names)
        family = made[-1] if made and rng.random() < SHARED_FAMILY else None
        email = family.email if family else _email(rng, first, last, seen)
        last = family.last_name if family else last
        made.append(Person(household, first, last, email, _phone(number), age))
    return tuple(made)


def by_household() -> dict[int, Person]:
    """People by household id."""
    return {person.household: person for person in people()}


def _households(rng: Random) -> Iterator[tuple[int, str]]:
    known = journey.connect().execute(
        "SELECT household_id, any_value(age) FROM (SELECT DISTINCT household_id FROM transactions) "
        "LEFT JOIN demographics USING (household_id) GROUP BY ALL ORDER BY household_id"
    )
    for household, age in known.fetchall():
        yield household, age or rng.choices(AGES, AGE_WEIGHTS)[0]
    for extra in range(1, BRAND_ONLY + 1):
        yield 100_000 + extra, rng.choices(AGES, AGE_WEIGHTS)[0]


def _names() -> Iterator[tuple[str, str]]:
    """First and last names, language after language."""
    makers = []
    for position, locale in enumerate(LOCALES):
        maker = Faker(locale)
        maker.seed_instance(SEED + position)
        makers.append(maker)
    while True:
        for maker in makers:
            yield maker.first_name(), maker.last_name()


def _email(rng: Random, first: str, last: str, seen: dict[str, int]) -> str:
    local = f"{_ascii(first)}.{_ascii(last)}"
    address = f"{local}@{DOMAINS[int(rng.random() * len(DOMAINS))]}"
    seen[address] = seen.get(address, 0) + 1
    if seen[address] > 1:
        address = address.replace("@", f"{seen[address]}@")
    return address


def _ascii(name: str) -> str:
    """The letters of a name that an address has: accents off, blanks and apostrophes out."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ł", "l").replace("Ł", "L"))
    return "".join(c for c in plain if c.isascii() and c.isalpha()).lower() or "someone"


def _phone(number: int) -> str:
    """The n-th fictional number: area codes in turn, one hundred lines in each."""
    return f"+1{AREAS[number % len(AREAS)]}555{100 + number // len(AREAS):04d}"
