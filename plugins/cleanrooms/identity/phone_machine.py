"""Certainly valid phone numbers of a region as an automaton over their characters (see ``phone_rules``).

The same readings as in ``phone_column``, for one pass over the bytes where that can be had.
"""

from __future__ import annotations

from functools import cache

from cleanrooms.identity import phone_rules
from cleanrooms.identity.automata import Automaton, TooLarge, behind, counting, matching, together
from cleanrooms.identity.rewriting import Action, Machine

PUNCTUATION = " ().-"
SHORTEST, LONGEST = 4, 16
"""Digits of a number that parsing neither refuses as too short nor as too long."""
_DIGITS = "0123456789"
_SYMBOLS = "+" + _DIGITS
_NOTHING = "[^0-9+]"
_ONE_DIGIT = "\\+?(?:" + "|".join(f"{digit}+" for digit in _DIGITS) + ")"

_SIZE = counting(_SYMBOLS, LONGEST + 1, _DIGITS)


@cache
def of_region(region: str) -> Machine | None:
    """The machine of a region's numbers, with or without its calling code; None where it would be too large."""
    try:
        return Machine.of(_home(region), silent="+", skipped=PUNCTUATION)
    except TooLarge:
        return None


def _home(region: str) -> Automaton:
    home = phone_rules.of_region(region)
    number = _national(int(home.code))

    def read(
        size: int, plus: bool, coded: bool, one: bool, abroad: bool, other: bool, prefixed: bool,
        whole: tuple[bool, bool], stripped: tuple[bool, bool], rest: tuple[bool, bool],
    ) -> Action | None:  # fmt: skip
        certain = SHORTEST <= size <= LONGEST and not one
        with_code = coded and home.takes_code and size > home.longest
        if plus:
            certain, with_code = certain and coded, True
        elif abroad or other or (coded and not with_code and size not in home.whole):
            return None
        valid, open_front = rest if with_code else stripped if prefixed else whole
        if not certain or not valid or (with_code and open_front):
            return None
        if with_code:
            return Action(0, "+")
        return Action(len(home.prefix) if prefixed else 0, f"+{home.code}")

    neither = (False, False)
    return together(
        [
            _SIZE,
            _beginning("\\+"),
            _beginning(f"\\+?{home.code}"),
            matching(_ONE_DIGIT, _SYMBOLS),
            _beginning(home.abroad or None),
            _beginning(*home.other),
            _beginning(home.prefix or None),
            number,
            behind(home.prefix, number, neither),
            together([behind(home.code, number, neither), behind(f"+{home.code}", number, neither)], _either),
        ],
        read,
    )


def _either(one: tuple[bool, bool], other: tuple[bool, bool]) -> tuple[bool, bool]:
    return one[0] or other[0], one[1] or other[1]


@cache
def _national(code: int) -> Automaton:
    """Labels numbers of a calling code without it: certainly valid, and whether parsing might cut off their front."""
    region = phone_rules.of_main_region(code)

    def judge(size: int, general: bool, leading: bool, prefixed: bool, *of_kinds: bool) -> tuple[bool, bool]:
        known = any(
            found and _sized(size, lengths)
            for found, (_, lengths) in zip(of_kinds, region.kinds, strict=True)
        )
        valid = general and _sized(size, region.lengths) and leading and known
        return valid, prefixed and size not in region.unprefixed

    return together(
        [
            _SIZE,
            matching(region.general, _SYMBOLS),
            _beginning(region.leading or ""),
            _beginning(region.prefix),
            *(matching(pattern, _SYMBOLS) for pattern, _ in region.kinds),
        ],
        judge,
    )


def _sized(size: int, lengths: tuple[int, ...]) -> bool:
    return not lengths or size in lengths


def _beginning(*patterns: str | None) -> Automaton:
    """Labels texts that begin with one of the patterns, of which None begins none."""
    known = "|".join(f"(?:{pattern})" for pattern in patterns if pattern is not None)
    return matching(f"(?:{known}).*" if known else _NOTHING, _SYMBOLS)
