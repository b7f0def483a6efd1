"""Which bars a result is drawn as: pure selection, no drawing."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from cleanrooms.config.collaboration import Query
from cleanrooms.results.values import NO_GROUP, group_texts, is_finite, is_number, measure_texts

MOST_SERIES = 6  # colours that people tell apart
MOST_ROWS = 24  # rows of bars that fit a page

_BEGINS_WITH_NUMBER = re.compile(r"\W*(\d+)")


@dataclass(frozen=True)
class Bar:
    """One bar; ``value`` is None where the measure has no value."""

    value: float | None
    text: str


@dataclass(frozen=True)
class Bars:
    """A bar chart as data.

    :param rows: labels along the axis, top to bottom
    :param series: label per colour, empty for a single colour
    :param bars: by (row, series) label; the series is ``""`` for a single colour
    :param omitted: number of rows left out because they would not fit
    """

    measure: str
    row_dimensions: tuple[str, ...]
    series_dimension: str | None
    rows: tuple[str, ...]
    series: tuple[str, ...]
    bars: dict[tuple[str, str], Bar]
    omitted: int

    @property
    def values(self) -> list[float]:
        return [bar.value for bar in self.bars.values() if bar.value is not None]


def choose(table: pa.Table, query: Query) -> Bars | None:
    """Bars of the query's chart measure by its dimensions; None where there is nothing to draw.

    Groups whose names look the same on paper are not drawn either: the bar of one would pass for the other.

    With several dimensions the one with the fewest values becomes the colours, if they are few enough.
    Groups whose names begin with numbers, and dates, keep their order; others go from large to small.
    """
    measure = query.chart or query.group_size
    if not query.dimensions or not table.num_rows or not is_number(table[measure].type):
        return None
    names = {dimension: group_texts(table[dimension]) for dimension in query.dimensions}
    series_dimension = _series_dimension(names)
    row_dimensions = tuple(name for name in query.dimensions if name != series_dimension)
    labels = [" · ".join(parts) for parts in zip(*(names[d] for d in row_dimensions), strict=True)]
    series = names[series_dimension] if series_dimension else [""] * len(labels)
    values = [float(v) if is_finite(v) else None for v in table[measure].to_pylist()]
    texts = measure_texts(table[measure])
    bars = {
        (label, colour): Bar(value, text)
        for label, colour, value, text in zip(labels, series, values, texts, strict=True)
    }
    if len(bars) < table.num_rows:
        return None
    rows = _ordered(list(dict.fromkeys(labels)), bars)
    kept, kept_set = rows[:MOST_ROWS], set(rows[:MOST_ROWS])
    return Bars(
        measure=measure,
        row_dimensions=row_dimensions,
        series_dimension=series_dimension,
        rows=tuple(kept),
        series=tuple(_natural(dict.fromkeys(series))) if series_dimension else (),
        bars={key: bar for key, bar in bars.items() if key[0] in kept_set},
        omitted=len(rows) - len(kept),
    )


def _series_dimension(names: dict[str, list[str]]) -> str | None:
    """The last of the dimensions with the fewest values, if there are several and they are few."""
    if len(names) < 2:
        return None
    fewest, _, dimension = min((len(set(texts)), -n, name) for n, (name, texts) in enumerate(names.items()))
    return dimension if fewest <= MOST_SERIES else None


def _ordered(rows: list[str], bars: dict[tuple[str, str], Bar]) -> list[str]:
    if all(_BEGINS_WITH_NUMBER.match(row) or row == NO_GROUP for row in rows):
        return _natural(rows)
    largest: dict[str, float] = {}
    for (row, _), bar in bars.items():
        if bar.value is not None:
            largest[row] = max(bar.value, largest.get(row, bar.value))
    return sorted(rows, key=lambda row: (-largest.get(row, float("-inf")), row))


def _natural(texts: list[str] | dict[str, None]) -> list[str]:
    def key(text: str) -> tuple[float, str]:
        number = _BEGINS_WITH_NUMBER.match(text)
        return (int(number[1]) if number else float("inf"), text)

    return sorted(texts, key=key)
