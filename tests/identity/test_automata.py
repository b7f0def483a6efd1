"""Automata label texts as the regular expressions do of which they are made."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.identity.automata import NoAutomaton, behind, counting, matching, together

SYMBOLS = "ab01+"
TEXTS = st.text(alphabet=SYMBOLS, max_size=8)
PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "0", "1", r"\+", ".", r"\d", "[ab]", "[^a]", "[0-1]", "[^0-9]", ""]),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        )
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=5, max_size=20))
def test_a_pattern_matches_what_it_matches_for_python(pattern: str, texts: list[str]) -> None:
    automaton = matching(pattern, SYMBOLS)
    assert [automaton.label(text) for text in texts] == [bool(re.fullmatch(pattern, text)) for text in texts]


@pytest.mark.parametrize(("text", "matches"), [("a", True), ("ab", False), ("b", True), ("ba1", True)])
def test_an_end_in_an_alternative_lets_nothing_follow(text: str, matches: bool) -> None:
    assert matching("(?:a$|b).*", SYMBOLS).label(text) is matches


def test_equal_states_are_one() -> None:
    assert len(matching("a0|b0|a1|b1", SYMBOLS).table) == len(matching("[ab][01]", SYMBOLS).table) == 4


@given(TEXTS)
def test_symbols_are_counted_up_to_a_number(text: str) -> None:
    assert counting(SYMBOLS, 3, "01").label(text) == min(sum(c in "01" for c in text), 3)


@given(TEXTS, st.sampled_from(["", "+", "a0", "aab"]))
def test_what_is_behind_a_text_is_labelled_by_what_follows(text: str, front: str) -> None:
    then = counting(SYMBOLS, 8, "a")
    label = text[len(front) :].count("a") if text.startswith(front) else None
    assert behind(front, then, None).label(text) == label


@given(TEXTS)
def test_automata_together_get_a_label_made_of_theirs(text: str) -> None:
    pair = together([matching(".*a", SYMBOLS), counting(SYMBOLS, 2, "0")], lambda ends, zeros: (zeros, ends))
    assert pair.label(text) == (min(text.count("0"), 2), text.endswith("a"))


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", r"\w", "^a"])
def test_a_pattern_with_anything_else_is_refused(pattern: str) -> None:
    with pytest.raises(NoAutomaton, match="which is not read here"):
        matching(pattern, SYMBOLS)


def test_what_would_have_too_many_states_is_refused() -> None:
    with pytest.raises(NoAutomaton, match="more than 20000 states"):
        matching("[ab01]*a[ab01]{15}", SYMBOLS)


def test_patterns_of_libphonenumber_are_read() -> None:
    for region in ("US", "DE", "AR", "MX", "BR"):
        data = phonenumbers.PhoneMetadata.metadata_for_region(region)
        assert data is not None
        kind = data.fixed_line
        assert kind is not None
        assert matching(kind.national_number_pattern, "0123456789").label(kind.example_number) is True
