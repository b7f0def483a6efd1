"""How digits are read in a region where no plus is before them, for whole columns (``phone_rules.National``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cleanrooms.identity.packed import Packed
from cleanrooms.identity.phone_rules import National, starting


class Reading(NamedTuple):
    """Which numbers begin with what; several may hold of one number.

    :ivar coded: the calling code
    :ivar abroad: the digits before a calling code
    :ivar other: what only libphonenumber reads
    :ivar prefix: the national prefix
    :ivar with_code: the calling code, and a number behind it
    """

    coded: np.ndarray
    abroad: np.ndarray
    other: np.ndarray
    prefix: np.ndarray
    with_code: np.ndarray


def read_national(digits: Packed, region: National) -> Reading:
    """Look at what numbers begin with."""
    nowhere = np.zeros(len(digits), bool)
    coded = digits.begins(region.code)
    with_code = coded & (digits.sizes > region.longest) if region.takes_code else nowhere
    # Digits that begin like the calling code could also be a whole number of the region.
    other = coded & ~with_code
    for size in region.whole:
        other &= digits.sizes != size
    if region.other:
        texts = digits.series("d")
        for pattern in region.other:
            other |= texts.str.contains(starting(pattern)).to_numpy()
    return Reading(
        coded,
        digits.begins(region.abroad) if region.abroad else nowhere,
        other,
        digits.begins(region.prefix) if region.prefix else nowhere,
        with_code,
    )
