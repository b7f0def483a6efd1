"""Whatever a column holds: a value or a reason, the same the second time, and no key of what nobody can read."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.identity import DIALECTS, Reason
from cleanrooms.identity.dialects import Dialect

PAIRS = [(d, i) for d in DIALECTS.values() for i in d.normalisers]
INVISIBLE = (
    "\0\x1f\x7f\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202e\u2060\u2066\ufe0f\ufeff\U000e0101"
)
SEED = (
    "Ann@Example.com",
    "+1 (408) 341-5669",
    "O\u2019Neil",
    "12-14 Hauptstra\u00dfe",
    "2/16/1997",
    "SW1A 1AA",
    "us",
)
ODD = st.sampled_from(
    [*INVISIBLE, "\ud800", "\udfff", "\u0301", "\u0130", "\u03a3", "\u00df", "\uff21", "\uff11"]
)
TEXTS = st.text(st.characters(codec=None), max_size=30) | st.builds(
    lambda text, odd, at, form: unicodedata.normalize(form, text[:at] + "".join(odd) + text[at:]),
    st.sampled_from(
        [*SEED, "\u5317\u4eac", "\u0645\u062d\u0645\u062f", "\U0001f469\u200d\U0001f680", "Jos\u00e9"]
    ),
    st.lists(ODD | st.sampled_from(" .,-+@/#()0a"), max_size=6),
    st.integers(0, 16),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
)
HUGE = 200_000


@pytest.mark.parametrize("chosen", PAIRS, ids=lambda p: f"{p[0].name}-{p[1]}")
@settings(max_examples=40, deadline=None)
@given(text=TEXTS, region=st.sampled_from([None, "US", "DE"]))
def test_any_text_gives_a_value_that_can_be_hashed_or_a_reason(
    chosen: tuple[Dialect, str], text: str, region: str | None
) -> None:
    dialect, identifier = chosen
    once = dialect.normalisers[identifier](text, region)
    if isinstance(once, Reason):
        return
    assert once.encode()
    assert any(c.isalnum() for c in once) or identifier == "email"
    # Digits without a plus may be another number in another region, so phones are settled in one.
    if identifier != "phone" or region == "US":
        assert dialect.normalisers[identifier](once, region) == once


@pytest.mark.parametrize("chosen", PAIRS, ids=lambda p: f"{p[0].name}-{p[1]}")
def test_what_nobody_can_read_has_no_canonical_form(chosen: tuple[Dialect, str]) -> None:
    dialect, identifier = chosen
    for text in (*INVISIBLE, INVISIBLE, "\u0301", "\ud83d", "\u2764\ufe0f", "...", "--", "'\u2019`"):
        assert isinstance(dialect.normalisers[identifier](text, "US"), Reason), ascii(text)


@pytest.mark.parametrize(
    "part", ["a", " ii", "x, jr.", "mr. ", "1-", "a#", "c/o ", "(0)", "+1 ext ", "e\u0301"]
)
def test_a_huge_text_is_settled_at_once(part: str) -> None:
    text = part * (HUGE // len(part))
    started = time.monotonic()
    for name in ("plain", "google_data_manager", "meta", "amazon_amc_de", "snap", "uid2"):
        for normaliser in DIALECTS[name].normalisers.values():
            normaliser(text, "US")
    assert time.monotonic() - started < 60
