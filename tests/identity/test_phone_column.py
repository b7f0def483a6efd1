"""Phone numbers of a column are those that libphonenumber gives one by one."""

from __future__ import annotations

import random

import polars as pl
import pytest

from bench.phones import REGIONS, differences, number
from cleanrooms.identity import normalise, phone_column

pytestmark = pytest.mark.usefixtures("each_way")


def test_generated_numbers_of_all_regions_are_libphonenumbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_column, "_FEW", 0)
    rng = random.Random(7)
    for region in REGIONS:
        assert differences([number(rng, region) for _ in range(82)], region) == []


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("US", "123-456-7890"),
        ("US", "1 (408) 341-5669"),
        ("US", "011 44 20 7946 0958"),
        ("US", "1-1-408-341-5669"),
        ("CA", "310 1234"),
        ("DE", "0049 30 901820"),
        ("DE", "(030) 90 18 20"),
        ("DE", "49 30 901820"),
        ("IT", "06 698 1234"),
        ("GB", "+44 (0)20 7946 0958"),
        ("IL", "019-19123-406."),
        ("RU", "8 (916) 123-45-67"),
        ("KZ", "8 701 123 4567"),
        ("AR", "+54 9 11 2345 6789"),
        ("JP", "0120-123-456"),
        ("AU", "1300 123 456"),
        ("GB", "+800 1234 5678"),
        ("US", "+999 123 4567"),
        ("US", "0000000000"),
        ("US", "+0000000000"),
    ],
)
def test_ways_of_writing_a_number_are_read_as_libphonenumber_reads_them(
    region: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_column, "_FEW", 0)
    assert differences([text], region) == []


def test_rows_keep_their_places_among_nulls_and_nonsense() -> None:
    texts = [None, "(408) 341-5669", "call me", "", "+442079460958", "4083415669 x1", "n/a"]
    values, reasons = normalise("phone", "plain", pl.Series("p", texts), region="US")
    assert values.to_list() == [
        None, "+14083415669", None, None, "+442079460958", "+14083415669", None,
    ]  # fmt: skip
    assert reasons == {"missing": 2, "malformed": 1, "placeholder": 1}
