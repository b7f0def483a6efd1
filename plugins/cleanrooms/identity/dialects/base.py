"""What a dialect is: its normalisers by identifier, its version, and where its rules are published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cleanrooms.identity.of_plain import OfPlain
from cleanrooms.identity.text import PLACEHOLDERS, Outcome, Reason, has_surrogates

IDENTIFIERS = (
    "email", "phone", "first_name", "last_name", "full_name", "street", "city", "state",
    "postal_code", "country", "birth_date", "mobile_ad_id",
)  # fmt: skip

Normaliser = Callable[[str, str | None], Outcome]
"""A text and a region (ISO 3166 alpha-2 or None) to the canonical form or a reason; never raises."""


@dataclass(frozen=True)
class Dialect:
    """How one partner wants identifiers written before they are hashed.

    A change of any output is a new ``version``: digests of two versions must never be joined.

    :ivar of_plain: how identifiers follow from the plain dialect's, which makes long columns fast
    """

    name: str
    version: str
    source: str
    normalisers: Mapping[str, Normaliser] = field(repr=False)
    of_plain: Mapping[str, OfPlain] = field(default_factory=dict, repr=False)
    algorithm: str = "SHA256"
    encoding: str = "hex"

    def __post_init__(self) -> None:
        object.__setattr__(self, "normalisers", {k: _settled(n, k) for k, n in self.normalisers.items()})

    @property
    def label(self) -> str:
        """``name@version``, as the metadata of a hashed column carries it."""
        return f"{self.name}@{self.version}"


def regionless(function: Callable[[str], Outcome]) -> Normaliser:
    """A normaliser that needs no region."""

    def normalise(text: str, region: str | None) -> Outcome:
        return function(text)

    return normalise


def _settled(function: Normaliser, identifier: str) -> Normaliser:
    """The normaliser, refusing what is no Unicode and what it has turned into nothing or into a placeholder."""

    def normalise(text: str, region: str | None) -> Outcome:
        if has_surrogates(text):
            return Reason.MALFORMED
        found = function(text, region)
        if isinstance(found, Reason):
            return found
        # Marks and signs that nobody can read say nothing; of addresses, their own check judges.
        if identifier != "email" and not any(c.isalnum() for c in found):
            return Reason.MALFORMED
        return Reason.PLACEHOLDER if found.lower() in PLACEHOLDERS else found

    return normalise
