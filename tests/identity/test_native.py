"""The compiled package: whole columns in whatever shape Arrow has them, and nothing outside of their memory."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.identity import email, email_column, native, normalise, phone, phone_machine
from cleanrooms.identity.automata import matching
from cleanrooms.identity.rewriting import Action, Machine
from cleanrooms.identity.text import Reason

pytestmark = pytest.mark.skipif(
    not native.available(), reason="cleanrooms_native is not built: make native says what it needs"
)

TEXTS = st.lists(st.none() | st.text(max_size=200), max_size=20)
PHONES = st.text(alphabet="0123456789+ ().-", max_size=24) | st.text(max_size=12)


def shapes(values: pl.Series) -> list[pl.Series]:
    """The same values in one piece, cut out of a longer column, and in several pieces."""
    around = pl.concat([pl.Series("v", ["x" * 20, None], values.dtype), values, values[:1]])
    middle = len(values) // 2
    return [
        values,
        around[2 : 2 + len(values)],
        pl.concat([values[:middle], values[middle:]], rechunk=False),
    ]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.none() | st.binary(max_size=200), st.booleans())
def test_digests_are_the_standard_librarys(texts: list[str | None], key: bytes | None, hexed: bool) -> None:
    def one(text: str) -> bytes:
        raw = text.encode()
        return hashlib.sha256(raw).digest() if key is None else hmac.digest(key, raw, "sha256")

    raw = [None if text is None else one(text) for text in texts]
    expected = [None if each is None else each.hex() for each in raw] if hexed else raw
    for values in shapes(pl.Series("v", texts, pl.String)):
        found = native.sha256(values, key, hexed=hexed)
        assert found.to_list() == expected
        assert found.null_count() == expected.count(None)


def test_bytes_are_hashed_as_they_are() -> None:
    values = pl.Series("v", [b"\xff\x00", b"", None], pl.Binary)
    assert native.sha256(values, None, hexed=False).to_list() == [
        hashlib.sha256(b"\xff\x00").digest(), hashlib.sha256(b"").digest(), None,
    ]  # fmt: skip


def test_columns_beyond_what_one_call_takes_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [None if n % 5 == 0 else f"person {n}" for n in range(1000)]
    values = pl.Series("v", texts, pl.String)
    whole = native.sha256(values, b"k", hexed=True).to_list()
    machine = phone_machine.of_region("US")
    assert machine is not None
    phones = pl.Series("p", [f"212 555 {n:04}" if n % 3 else "call me" for n in range(1000)])
    made = outcomes(machine, phones, 64)
    monkeypatch.setattr(native, "_MOST_BYTES", 4096)
    assert native.sha256(values, b"k", hexed=True).to_list() == whole
    assert outcomes(machine, phones, 64) == made


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | st.emails() | st.text(max_size=40), max_size=10))
def test_an_address_that_is_made_is_the_one_of_the_rules(texts: list[str | None]) -> None:
    check(email_column._machine(), texts, email.plain, longest=email.MAX_LENGTH)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | PHONES, max_size=10), st.sampled_from(["US", "CA", "DE", "IT", "GB", "AR", "KZ"]))
def test_a_number_that_is_made_is_libphonenumbers(texts: list[str | None], region: str) -> None:
    machine = phone_machine.of_region(region)
    assert machine is not None
    check(machine, texts, lambda text: phone.e164(text, region), longest=64)


LEFT = "left"


def outcomes(machine: Machine, values: pl.Series, longest: int) -> tuple[list[str | None], Counter[str]]:
    """What the machine makes, LEFT where it makes nothing itself, and the reasons that it counts."""

    def others(texts: pl.Series) -> tuple[pl.Series, Counter[str]]:
        return pl.Series([LEFT] * len(texts), dtype=pl.String), Counter()

    found, reasons = machine.normalise(values, longest, others)
    assert found.null_count() == reasons.total()
    return found.to_list(), reasons


def check(
    machine: Machine, texts: list[str | None], rule: Callable[[str], str | Reason], longest: int
) -> None:
    """What the machine says itself is right."""
    for values in shapes(pl.Series("v", texts, pl.String)):
        found, reasons = outcomes(machine, values, longest)
        expected = [Reason.MISSING if text is None else rule(text) for text in texts]
        pairs = [(ours, theirs) for ours, theirs in zip(found, expected, strict=True) if ours != LEFT]
        assert [ours for ours, _ in pairs] == [
            None if isinstance(theirs, Reason) else theirs for _, theirs in pairs
        ]
        assert reasons == Counter(theirs.value for _, theirs in pairs if isinstance(theirs, Reason))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (" Ann.Lee@Example.COM\t", "ann.lee@example.com"),
        ("a@b.co", "a@b.co"),
        ("na@example.com", Reason.PLACEHOLDER),
        ("test@test.com", Reason.PLACEHOLDER),
        (" N/A ", Reason.PLACEHOLDER),
        ("ann@example", Reason.MALFORMED),
        ("ann lee@example.com", Reason.MALFORMED),
        ("ann\0@example.com", Reason.MALFORMED),
        ("zoë@example.com", LEFT),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
        (f"{'a' * 65}@example.com", Reason.MALFORMED),
        (f"ann@{'a' * 247}.com", LEFT),
        (" \r\n", Reason.MISSING),
        ("", Reason.MISSING),
        (None, Reason.MISSING),
    ],
)
def test_of_addresses_all_in_ascii_are_decided(text: str | None, outcome: str | Reason) -> None:
    found, reasons = outcomes(email_column._machine(), pl.Series([text], dtype=pl.String), email.MAX_LENGTH)
    refused = isinstance(outcome, Reason)
    assert (found, reasons) == ([None if refused else outcome], {outcome.value: 1} if refused else {})


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("(212) 555-0123", "+12125550123"),
        ("+1 212 555 0123", "+12125550123"),
        ("1-416-555-0123", "+14165550123"),
        ("212-555-012", Reason.IMPOSSIBLE),
        ("0000000000", Reason.PLACEHOLDER),
        ("+0000000000", LEFT),
        ("+44 20 7946 0958", LEFT),
        ("212 555 0123 x4", LEFT),
        ("call me", LEFT),
        ("٢١٢٥٥٥٠١٢٣", LEFT),
    ],
)
def test_of_phones_the_plain_ones_of_the_regions_code_are_decided(text: str, outcome: str | Reason) -> None:
    machine = phone_machine.of_region("US")
    assert machine is not None
    found, reasons = outcomes(machine, pl.Series([text]), 64)
    refused = isinstance(outcome, Reason)
    assert (found, reasons) == ([None if refused else outcome], {outcome.value: 1} if refused else {})


@pytest.mark.parametrize(("identifier", "region"), [("email", None), ("phone", "US")])
def test_a_long_column_becomes_what_its_parts_become(identifier: str, region: str | None) -> None:
    texts = {
        "email": [" Ann.Lee@Example.com", "zoë@example.com", "n/a", None, "ann@x", "bob@uni.example.edu "],
        "phone": ["(212) 555-0123", "+44 20 7946 0958", "212 555", None, "0000000000", "x", "1 416 555 0123"],
    }[identifier]
    values = pl.Series("v", texts * 8000)
    assert native.pays_off(len(values))
    assert not native.pays_off(len(texts))
    found, reasons = normalise(identifier, "plain", values, region=region)
    part, of_part = normalise(identifier, "plain", values[: len(texts)], region=region)
    assert found.to_list() == part.to_list() * 8000
    assert reasons == {reason: 8000 * count for reason, count in of_part.items()}


def test_results_shorter_and_longer_than_a_view_keep_their_order() -> None:
    machine = Machine.of(matching_action("[a-z]*", Action(1, "<<")), silent="")
    texts = ["Xabc", "abcdefghijklmnop", "1", None, "x", ""]
    found, reasons = outcomes(machine, pl.Series(texts), 64)
    assert found == ["<<abc", "<<bcdefghijklmnop", LEFT, None, "<<", LEFT]
    assert reasons == {"missing": 1}


def matching_action(pattern: str, action: Action) -> Any:
    """An automaton with an action for what matches."""
    from cleanrooms.identity.automata import together

    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return together([matching(pattern, alphabet)], lambda found: action if found else None)


class TestRefused:
    """Buffers that do not fit one another are refused before anything outside of them is read."""

    def digests(self, **changed: Any) -> Any:
        given = {
            "views": np.zeros(32, np.uint8), "buffers": (b"",), "validity": None, "first": 0, "rows": 2, "key": None,
            "hexed": True, "out": np.empty(32, np.uint8), "data": np.empty(128, np.uint8), **changed,
        }  # fmt: skip
        return native.library.sha256(*given.values())

    def test_nothing_where_all_fits(self) -> None:
        assert self.digests() == 2

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"rows": 3}, "fewer views than rows"),
            ({"first": 1}, "fewer views than rows"),
            ({"first": -1}, "rows that no array has"),
            ({"rows": -1}, "rows that no array has"),
            ({"validity": b""}, "validity bitmap that is too short"),
            ({"data": np.empty(127, np.uint8)}, "too little space"),
            ({"out": np.empty(31, np.uint8)}, "too little space"),
        ],
    )
    def test_sizes_that_do_not_fit(self, changed: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            self.digests(**changed)

    @pytest.mark.parametrize(
        "view",
        [(13, 0, 0, 0), (13, 0, 1, 0), (13, 0, -1, 0), (13, 0, 0, -1), (-1, 0, 0, 0), (13, 0, 0, 2**31 - 1)],
    )
    def test_views_that_point_outside(self, view: tuple[int, ...]) -> None:
        views = np.array([(0, 0, 0, 0), view], np.int32)
        with pytest.raises(ValueError, match="points outside of its buffers"):
            self.digests(views=views, buffers=(b"twelve bytes",))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("classes", np.full(256, 200, np.uint8)),
            ("table", np.full(8, 7, np.uint16)),
            ("actions", np.array([9, 9], np.int16)),
            ("actions", np.array([-999, -1, -1, -1], np.int16)),
            ("prefixes", b"\0\xff"),
            ("prefixes", b"\0\0" * 40_000),
            ("width", 0),
            ("width", 2**62),
            ("lead", -1),
        ],
    )
    def test_machines_whose_tables_do_not_fit(self, field: str, value: Any) -> None:
        machine = Machine.of(matching_action("a", Action(0, "")), silent="")
        with pytest.raises(ValueError, match="tables do not fit one another"):
            native.rewrite(pl.Series(["a"]), machine.tables._replace(**{field: value}), 64)
