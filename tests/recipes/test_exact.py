"""Sums do not depend on the order or the division of their values."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.recipes.exact import Total, fit
from cleanrooms.recipes.statistic import Average, Median, Mode, Sum

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.lists(FLOATS), st.integers(0, 20))
def test_a_sum_of_floats_is_the_exact_one_however_it_is_divided(values: list[float], cut: int) -> None:
    series = pl.Series(values, dtype=pl.Float64)
    total = Total.of(series[:cut]) + Total.of(series[cut:])
    exact = sum(map(Fraction, values), Fraction(0))
    assert (total.total, total.count) == (exact, len(values))


def test_what_addition_in_floating_point_loses_is_kept() -> None:
    assert Sum().of(pl.Series([1e17, 1.0, -1e17])) == 1.0
    assert Average().of(pl.Series([0.1] * 10)) == 0.1


def test_nulls_and_nan_are_no_values_and_infinity_is_one() -> None:
    assert Average().of(pl.Series([1.0, None, math.nan, 3.0])) == 2.0
    assert Sum().of(pl.Series([1.0, math.inf])) == math.inf
    assert math.isnan(Sum().of(pl.Series([math.inf, -math.inf])))
    assert Sum().of(pl.Series([None], dtype=pl.Float64)) is None


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_sums_of_whole_numbers_do_not_overflow(values: list[int]) -> None:
    assert Total.of(pl.Series(values, dtype=pl.Int64)).total == sum(values)


def test_decimals_are_summed_exactly_and_rounded_half_up() -> None:
    values = pl.Series([Decimal("0.01"), Decimal("0.02")], dtype=pl.Decimal(18, 2))
    assert Sum().of(values) == Decimal("0.03")
    assert Average().of(values) == Decimal("0.02")


def test_a_number_that_a_type_cannot_hold_is_none() -> None:
    assert fit(Fraction(10**18), pl.Decimal(18, 2)) is None
    assert fit(Fraction(7, 2), pl.Int64()) == 3
    assert fit(Fraction(10) ** 400, pl.Float64()) == math.inf


@settings(deadline=None)
@given(st.lists(FLOATS, min_size=1))
def test_the_median_is_the_middle_or_the_mean_of_two(values: list[float]) -> None:
    ordered = sorted(values)
    middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    assert Median().of(pl.Series(values)) == float((Fraction(middle[0]) + Fraction(middle[1])) / 2)


def test_ties_of_the_mode_are_decided_as_asked() -> None:
    values = pl.Series([1, 1, 4, 4, 9])
    assert [Mode(t).of(values) for t in ("MINIMUM", "MAXIMUM", "AVERAGE", "NONE")] == [1, 4, 2, None]
