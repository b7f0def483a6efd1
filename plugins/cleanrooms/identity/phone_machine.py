"""Phone numbers of a region, valid or not, as an automaton over their characters (see ``phone_rules``).

The same readings as in ``phone_column``, for one pass over the bytes where that can be had.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import NamedTuple

from cleanrooms.identity import phone_rules
from cleanrooms.identity.automata import Automaton, NoAutomaton, behind, counting, matching, together
from cleanrooms.identity.rewriting import Action, Machine
from cleanrooms.identity.text import Reason

PUNCTUATION = " ().-"
SHORTEST, LONGEST = 4, 16
"""Digits of a number that parsing neither refuses as too short nor as too long."""
_DIGITS = "0123456789"
_SYMBOLS = "+" + _DIGITS
_NOTHING = "[^0-9+]"
_ONE_DIGIT = "\\+?(?:" + "|".join(f"{digit}+" for digit in _DIGITS) + ")"

_SIZE = counting(_SYMBOLS, LONGEST + 1, _DIGITS)


class _Of(Enum):
    """What digits are as a number of a calling code, without it."""

    MAIN = "valid in the code's main region"
    ELSEWHERE = "valid in another one of its regions"
    NONE = "certainly of no region"
    UNKNOWN = "for libphonenumber to say"


class _Number(NamedTuple):
    """:ivar cut: whether parsing might take something off the front."""

    of: _Of
    cut: bool


_NO_NUMBER = _Number(_Of.UNKNOWN, False)


@cache
def of_region(region: str) -> Machine | None:
    """The machine of a region's numbers, with or without its calling code; None where it would be too large."""
    try:
        return Machine.of(_home(region), silent="+", skipped=PUNCTUATION)
    except NoAutomaton:
        return None


def _home(region: str) -> Automaton:
    """Labels texts without punctuation as ``phone_column`` reads them."""
    home = phone_rules.of_region(region)
    number = _national(int(home.code))

    def read(
        size: int, plain: bool, plus: bool, coded: bool, one_digit: bool, abroad: bool, other: bool, prefixed: bool,
        whole: _Number, stripped: _Number, rest: _Number,
    ) -> Action | Reason | None:  # fmt: skip
        with_code = coded and (plus or (home.takes_code and size > home.longest))
        if not plain or not SHORTEST <= size <= LONGEST:
            return None
        if one_digit:
            return None if plus else Reason.PLACEHOLDER
        if with_code and not (abroad or other):
            return None if rest.cut else _outcome(rest.of, Action(0, "+"), size - len(home.code))
        if plus or abroad or other or (coded and size not in home.whole):
            return None
        if prefixed:
            return Action(len(home.prefix), f"+{home.code}") if stripped.of is _Of.MAIN else None
        return _outcome(whole.of, Action(0, f"+{home.code}"), size)

    return together(
        [
            _SIZE,
            matching("\\+?[0-9]+", _SYMBOLS),
            _beginning("\\+"),
            _beginning(f"\\+?{home.code}"),
            matching(_ONE_DIGIT, _SYMBOLS),
            _beginning(home.abroad or None),
            _beginning(*home.other),
            _beginning(home.prefix or None),
            number,
            behind(home.prefix, number, _NO_NUMBER),
            together(
                [behind(home.code, number, _NO_NUMBER), behind(f"+{home.code}", number, _NO_NUMBER)],
                lambda one, other: other if one == _NO_NUMBER else one,
            ),
        ],
        read,
    )


def _outcome(of: _Of, made: Action, size: int) -> Action | Reason | None:
    if of in (_Of.MAIN, _Of.ELSEWHERE):
        return made
    return Reason.IMPOSSIBLE if of is _Of.NONE and size >= SHORTEST else None


@cache
def _national(code: int) -> Automaton:
    """Labels numbers of a calling code without it (:class:`_Number`)."""
    regions = phone_rules.described_regions(code)
    main, claims = regions[0], [r.leading for r in regions[1:] if r.leading is not None]
    unclaimed = [region for region in regions[1:] if region.leading is None]

    def judge(cut: bool, claimed: bool, possible: bool, size: int, valid: bool, *elsewhere: bool) -> _Number:
        if valid:
            of = _Of.MAIN
        elif not possible:
            of = _Of.NONE
        else:
            of = _Of.ELSEWHERE if any(elsewhere) and not claimed else _Of.UNKNOWN
        return _Number(of, cut and size not in main.unprefixed)

    return together(
        [
            _beginning(main.prefix),
            _beginning(*claims),
            matching("|".join(pattern for region in regions for pattern, _ in region.kinds), _SYMBOLS),
            _SIZE,
            _valid(main),
            *map(_valid, unclaimed),
        ],
        judge,
    )


def _valid(region: phone_rules.Description) -> Automaton:
    """Labels texts True that libphonenumber knows a kind of number for in the region."""

    def judge(size: int, leading: bool, general: bool, *of_kinds: bool) -> bool:
        known = any(
            found and _sized(size, lengths)
            for found, (_, lengths) in zip(of_kinds, region.kinds, strict=True)
        )
        return general and _sized(size, region.lengths) and leading and known

    patterns = [region.general, *(pattern for pattern, _ in region.kinds)]
    parts = [matching(pattern, _SYMBOLS) for pattern in patterns]
    return together([_SIZE, _beginning(region.leading or ""), *parts], judge)


def _sized(size: int, lengths: tuple[int, ...]) -> bool:
    return not lengths or size in lengths


def _beginning(*patterns: str | None) -> Automaton:
    """Labels texts that begin with one of the patterns, of which None begins none."""
    known = "|".join(f"(?:{pattern})" for pattern in patterns if pattern is not None)
    return matching(f"(?:{known}).*" if known else _NOTHING, _SYMBOLS)
