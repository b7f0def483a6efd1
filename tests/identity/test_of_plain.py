"""Long columns of a partner's dialect become what its own function makes of each value."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.phones import REGIONS, number, us
from cleanrooms.identity import DIALECTS, Reason, columns, normalise
from cleanrooms.identity.dialects import Dialect

FOLLOWING = [(d, i) for d in DIALECTS.values() for i in d.of_plain]
SHARED = [HealthCheck.function_scoped_fixture]
LOCALS = st.text(alphabet="aZ9._-+~!é", min_size=1, max_size=10) | st.sampled_from(
    ["na", "n.a", "Test", "...", "a.b+c"]
)
DOMAINS = st.sampled_from(
    [
        "gmail.com",
        "GMail.com",
        "googlemail.com",
        "gmail.com.au",
        "example.com",
        "x",
        "-a.com",
        "test.com",
        "x y.de",
    ]
)
BLANKS = st.sampled_from(["", " ", "\t", "\u00a0"])
ADDRESSES = st.tuples(BLANKS, LOCALS, st.just("@"), DOMAINS, BLANKS).map("".join)
PHONES = st.text(alphabet="0123456789+ ().-", max_size=18) | st.sampled_from([
    "+14085550123", "+1 408 555 0123", "14085550123", "1-408-555-0123", "+44 (0)20 7946 0958", "0049 30 901820",
    "49 30 901820",
])  # fmt: skip


@pytest.fixture(autouse=True)
def _however_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MANY_ROWS", 0)


def check(chosen: Dialect, identifier: str, texts: list[str | None], region: str | None) -> None:
    function = chosen.normalisers[identifier]
    expected = [Reason.MISSING if text is None else function(text, region) for text in texts]
    values = pl.Series("v", texts, pl.String)
    found, reasons = normalise(identifier, chosen.name, values, region=region)
    assert found.name == "v"
    assert found.to_list() == [None if isinstance(each, Reason) else each for each in expected]
    assert reasons == Counter(each.value for each in expected if isinstance(each, Reason))


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("chosen", [d for d, i in FOLLOWING if i == "email"], ids=lambda d: d.name)
@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(texts=st.lists(st.none() | ADDRESSES | st.emails() | st.text(max_size=20), max_size=12))
def test_addresses(chosen: Dialect, texts: list[str | None]) -> None:
    check(chosen, "email", texts, None)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("chosen", [d for d, i in FOLLOWING if i == "phone"], ids=lambda d: d.name)
@settings(max_examples=30, deadline=None, suppress_health_check=SHARED)
@given(
    texts=st.lists(st.none() | PHONES | st.text(max_size=12), max_size=12),
    region=st.sampled_from([None, "US", "DE", "GB", "IT", "AR", "KZ"]),
)
def test_phones(chosen: Dialect, texts: list[str | None], region: str | None) -> None:
    check(chosen, "phone", texts, region)


@pytest.mark.parametrize("chosen", [d for d, i in FOLLOWING if i == "phone"], ids=lambda d: d.name)
def test_generated_numbers(chosen: Dialect) -> None:
    rng = random.Random(chosen.name)
    for region in rng.sample(REGIONS, 40):
        check(chosen, "phone", [number(rng, region) for _ in range(30)], region)
    check(chosen, "phone", [us(rng) for _ in range(500)], "US")


def test_most_of_a_column_needs_no_call_of_the_dialects_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(text: str, region: str | None) -> Reason:
        raise AssertionError("it was called")

    texts = {"email": "Ann.Lee@Example.com", "phone": "(408) 555-0123"}
    for chosen, identifier in FOLLOWING:
        monkeypatch.setitem(cast(dict[str, Any], chosen.normalisers), identifier, asked)
        found, _ = normalise(identifier, chosen.name, pl.Series([texts[identifier]] * 5), region="US")
        assert found.null_count() == 0
