"""Values of a result as text for people."""

from __future__ import annotations

import math
import unicodedata
from decimal import Decimal
from typing import Any

import pyarrow as pa

NO_GROUP = "not given"  # a null in a dimension
NO_VALUE = "no value"  # a null or a number that is none in a measure

_MOST_DECIMALS = 6


def is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def plain(text: str) -> str:
    """The text on one line, without characters that XML forbids or that turn the writing direction around."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) == "Cc" or char in _UNFIT else char
        for char in " ".join(text.split())
    )


_UNFIT = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff")


def group_texts(column: pa.ChunkedArray) -> list[str]:
    """Names of groups: numbers stay as they are, as they name something (a year, a campaign)."""
    return [NO_GROUP if value is None else plain(_name(value)) for value in column.to_pylist()]


def measure_texts(column: pa.ChunkedArray) -> list[str]:
    """Values of a measure, numbers with separators and one number of decimals for the whole column."""
    values = column.to_pylist()
    if not is_number(column.type):
        return [NO_VALUE if value is None else plain(_name(value)) for value in values]
    numbers: list[float | Decimal] = [value for value in values if is_finite(value)]
    places = min(max(map(_decimals, numbers), default=0), _useful(numbers))
    return [_number(value, places) if is_finite(value) else NO_VALUE for value in values]


def is_finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _number(value: float | Decimal, places: int) -> str:
    text = f"{value or 0:,.{places}f}"
    # A value that is not zero must not look like it.
    return f"{value:.1e}" if value and not text.strip("-0.") else text


def _decimals(value: float | Decimal) -> int:
    """Decimals that show a number to four significant digits, without trailing zeros."""
    if value == int(value):
        return 0
    magnitude = math.floor(math.log10(abs(float(value))))
    wanted = min(max(3 - magnitude, 2), _MOST_DECIMALS)
    return len(f"{value:.{wanted}f}".rstrip("0").partition(".")[2])


def _useful(numbers: list[float | Decimal]) -> int:
    """Decimals that a reader can compare: four significant digits of the largest number, at least two."""
    largest = max((abs(float(value)) for value in numbers), default=0.0)
    return max(2, 3 - math.floor(math.log10(largest))) if largest else 0


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
