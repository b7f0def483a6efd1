"""Values as people read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.results.values import group_texts, measure_texts, plain


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1234, None, -5], ["1,234", "no value", "-5"]),
        ([0.5, 12.25], ["0.50", "12.25"]),
        ([0.0412, -0.021], ["0.0412", "-0.0210"]),
        ([3.0, 1000.0], ["3", "1,000"]),
        ([1 / 3], ["0.3333"]),
        ([0.0000004, -0.0], ["4.0e-07", "0"]),
        ([float("nan"), float("inf"), 1.0], ["no value", "no value", "1"]),
        ([Decimal("1204.5000000000")], ["1,204.5"]),
        ([True, False], ["yes", "no"]),
        ([], []),
    ],
)
def test_measures_have_separators_and_one_number_of_decimals(values: list[Any], texts: list[str]) -> None:
    assert measure_texts(pa.chunked_array([pa.array(values)])) == texts


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([2017, None], ["2017", "not given"]),
        ([date(2017, 11, 13)], ["2017-11-13"]),
        ([Decimal("5.0000000000")], ["5"]),
        (["Zoë  &\nSøn"], ["Zoë & Søn"]),
    ],
)
def test_names_of_groups_stay_as_they_are(values: list[Any], texts: list[str]) -> None:
    assert group_texts(pa.chunked_array([pa.array(values)])) == texts


def test_characters_that_break_pages_or_turn_text_around_are_replaced() -> None:
    assert plain("a\x00b\u202ec\ufffe") == "a�b�c�"
