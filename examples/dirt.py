"""The dirt of real exports, seeded: the same value spelled the way different systems and people spell it.

Every speller takes the generator that decides, so that the same seed gives the same dirt.
"""

from __future__ import annotations

from random import Random

PLACEHOLDER_EMAILS = (
    "noemail@noemail.com",
    "none@none.com",
    "test@test.com",
    "N/A",
    "unknown",
    "NOEMAIL@brand.example",
)
"""What tills and call centres type when nobody gives an address. Joined on, they would make strangers one."""

PLACEHOLDER_PHONES = ("000-000-0000", "555-555-5555", "n/a", "0")

_BLANKS = (" ", "  ", "\t", "\u00a0")


def email(rng: Random, address: str) -> str:
    """An address as it was typed: other case, blanks around it."""
    roll = rng.random()
    if roll < 0.15:
        address = address.upper()
    elif roll < 0.40:
        address = ".".join(part.capitalize() for part in address.split("."))
    elif roll < 0.48:
        address = "".join(c.upper() if rng.random() < 0.5 else c for c in address)
    return blanks(rng, address, share=0.15)


def phone(rng: Random, number: str) -> str:
    """A North American number (E.164, ``+1`` and ten digits) in one of the formats that people write."""
    area, office, line = number[2:5], number[5:8], number[8:]
    formats = (
        number,
        f"({area}) {office}-{line}",
        f"{area}-{office}-{line}",
        f"{area}.{office}.{line}",
        f"{area}{office}{line}",
        f"1 {area} {office} {line}",
        f"+1 ({area}) {office}-{line}",
        f"1-{area}-{office}-{line}",
    )
    return blanks(rng, formats[int(rng.random() * len(formats))], share=0.05)


def name(rng: Random, text: str) -> str:
    """A person's name: mostly as it is, sometimes in one case or with blanks."""
    roll = rng.random()
    if roll < 0.10:
        text = text.upper()
    elif roll < 0.18:
        text = text.lower()
    return blanks(rng, text, share=0.06)


def code(rng: Random, text: str) -> str:
    """A code such as a segment: sometimes capitalised or in capitals, sometimes with spaces around it."""
    roll = rng.random()
    if roll < 0.10:
        text = text.upper()
    elif roll < 0.18:
        text = text.capitalize()
    return f" {text} " if rng.random() < 0.06 else text


def blanks(rng: Random, text: str, *, share: float) -> str:
    """Blanks around a share of the values."""
    if rng.random() >= share:
        return text
    blank = _BLANKS[int(rng.random() * len(_BLANKS))]
    return f"{blank}{text}" if rng.random() < 0.5 else f"{text}{blank}"


def placeholder(rng: Random, choices: tuple[str, ...]) -> str:
    """One of the texts that stand for nothing."""
    return choices[int(rng.random() * len(choices))]
