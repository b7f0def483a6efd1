"""Exact sums of columns: the same for any order of the values and any division of them among machines.

Floating-point addition is not associative, so a sum in parallel would differ in its last digits from run to run,
and a value filled in by it would differ between engines.
"""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import numpy as np
import polars as pl

_HALF = 26  # bits; halves of a double's 53 bits can be added 2^36 times in 64
_MANTISSA = 53


class Total:
    """An exact sum and the number of its values; totals of parts add up. Nulls and NaN are no values."""

    def __init__(self, total: Fraction = Fraction(0), count: int = 0, infinite: float = 0.0) -> None:
        self.total = total
        self.count = count
        self.infinite = infinite
        """Sum of the infinite values: 0.0 without any, NaN when both signs occur."""

    @classmethod
    def of(cls, values: pl.Series) -> Total:
        """The total of a numeric column."""
        values = usable(values)
        if values.dtype.is_float():
            return _of_floats(values.cast(pl.Float64).to_numpy())
        if isinstance(values.dtype, pl.Decimal):
            scale = values.dtype.scale
            unscaled = sum(int(v.scaleb(scale)) for v in _exactly(values))
            return cls(Fraction(unscaled, 10**scale), len(values))
        return cls(Fraction(int(values.cast(pl.Int128).sum())), len(values))

    def __add__(self, other: Total) -> Total:
        return Total(self.total + other.total, self.count + other.count, self.infinite + other.infinite)

    def sum(self) -> Fraction | float | None:
        """The sum; None without values."""
        if not self.count:
            return None
        return self.total if self.infinite == 0 else self.infinite

    def mean(self) -> Fraction | float | None:
        """The mean; None without values."""
        total = self.sum()
        return total / self.count if isinstance(total, Fraction) else total


def usable(values: pl.Series) -> pl.Series:
    """The values without nulls and NaN."""
    values = values.drop_nulls()
    return values.drop_nans() if values.dtype.is_float() else values


def fit(value: Fraction | float | None, kind: pl.DataType) -> int | float | Decimal | None:
    """A number in a column's type: whole numbers are cut off, decimals rounded half up, floats to the nearest.

    None where the type cannot hold it.
    """
    if value is None:
        return None
    if kind.is_float():
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    if not isinstance(value, Fraction):
        return None
    if isinstance(kind, pl.Decimal):
        unscaled = value * 10**kind.scale
        with localcontext() as context:
            context.prec = 80
            digits = (Decimal(unscaled.numerator) / unscaled.denominator).to_integral_value(ROUND_HALF_UP)
            return digits.scaleb(-kind.scale) if abs(digits) < 10 ** (kind.precision or 38) else None
    return int(value)


def _of_floats(values: np.ndarray) -> Total:
    finite = values[np.isfinite(values)]
    infinite = sum(set(values[~np.isfinite(values)].tolist()), 0.0)
    fraction, exponent = np.frexp(finite)
    whole = np.ldexp(fraction, _MANTISSA).astype(np.int64)
    high, low = whole >> _HALF, whole & ((1 << _HALF) - 1)
    sums: Counter[int] = Counter()
    for power in np.unique(exponent):
        of_power = exponent == power
        sums[int(power) - _MANTISSA] += (int(high[of_power].sum()) << _HALF) + int(low[of_power].sum())
    total = sum((Fraction(n) * Fraction(2) ** power for power, n in sums.items()), Fraction(0))
    return Total(total, len(values), infinite)


def _exactly(values: pl.Series) -> list[Decimal]:
    with localcontext() as context:
        context.prec = 80
        return values.to_list()
