"""Tables turned around: columns into rows and rows into columns, and splits whose number of columns follows the data.

Source: DataBrew guide, "Data structure recipe steps" (PIVOT, UNPIVOT, TRANSPOSE) and SPLIT_COLUMN_WITH_INTERVALS.
"""

from __future__ import annotations

import polars as pl

from cleanrooms.recipes.actions.whole import AGGREGATES
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Change, Reshape, Tier, Whole, action

CATEGORY = "data structure"
_MOST_VALUES = 10


@action(
    "UNPIVOT",
    CATEGORY,
    "sourceColumns unpivotColumn valueColumn",
    tier=Tier.TOLERANT,
    note="a row per source column, its name in unpivotColumn and its value in valueColumn; text where types differ",
)
def unpivot(p: Arguments) -> Change:
    columns, names = p.columns(), [p.target("unpivotColumn"), p.target("valueColumn")]
    kinds = {p.schema[c] for c in columns}
    values = [pl.col(c) if len(kinds) == 1 else p.as_text(c) for c in columns]
    pairs = [
        pl.struct(pl.lit(c).alias(names[0]), v.alias(names[1])) for c, v in zip(columns, values, strict=True)
    ]
    kept = [c for c in p.schema if c not in columns]

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        rows = frame.select(*kept, pl.concat_list(pairs).alias(names[0])).explode(
            names[0], empty_as_null=True
        )
        return rows.unnest(names[0])

    return Reshape(run, frozenset(names))


@action(
    "PIVOT",
    CATEGORY,
    "sourceColumn valueColumn aggregateFunction",
    tier=Tier.TOLERANT,
    note="a column per value, named as the value, in the order of their text; a row per combination of the other "
    "columns, in the order in which they first occur",
)
def pivot(p: Arguments) -> Change:
    source, column, aggregate = p.column(), p.column("valueColumn"), _aggregate(p)
    text = p.as_text(source)
    groups = [c for c in p.schema if c not in (source, column)]

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        values = _values(p, frame, text, groups)
        cells = [_cell(aggregate, pl.col(column), text == v).alias(v) for v in values]
        if not groups:
            return frame.select(cells)
        return frame.group_by(groups, maintain_order=True).agg(cells)

    return Whole(run, frozenset({source, column}), by_values=True)


@action(
    "TRANSPOSE",
    CATEGORY,
    "pivotColumns valueColumns aggregateFunction newColumn",
    tier=Tier.TOLERANT,
    note="a column per value of the one pivot column, in the order of their text, and a row per value column",
)
def transpose(p: Arguments) -> Change:
    sources, columns, aggregate, new = (
        p.columns("pivotColumns"),
        p.columns("valueColumns"),
        _aggregate(p),
        p.text("newColumn"),
    )
    if len(sources) > 1:
        raise p.error(
            "has several pivotColumns, whose joint names the guide does not give.", "Merge them first."
        )
    if len({p.schema[c] for c in columns}) > 1:
        raise p.error("turns columns of several types into rows.", "Put CHANGE_DATA_TYPE before it.")
    text = p.as_text(sources[0])

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        values = _values(p, frame, text, [new])
        rows = [
            frame.select(
                pl.lit(c).alias(new), *(_cell(aggregate, pl.col(c), text == v).alias(v) for v in values)
            )
            for c in columns
        ]
        return pl.concat(rows)

    return Whole(run, frozenset(p.schema), by_values=True)


def _aggregate(p: Arguments) -> str:
    name = p.text("aggregateFunction").upper()
    if name not in AGGREGATES:
        raise p.error("has an aggregateFunction that is not known.", f"Supported: {', '.join(AGGREGATES)}.")
    return name


def _cell(aggregate: str, value: pl.Expr, where: pl.Expr) -> pl.Expr:
    """The aggregate of the rows; null where there are none."""
    chosen = value.filter(where.fill_null(False))
    found = AGGREGATES[aggregate](chosen)
    return found if aggregate in ("COUNT", "COLLECT_LIST") else pl.when(chosen.len() > 0).then(found)


def _values(p: Arguments, frame: pl.DataFrame, text: pl.Expr, taken: list[str]) -> list[str]:
    values: list[str] = frame.select(text.drop_nulls().unique().sort().alias("v")).get_column("v").to_list()
    if len(values) > _MOST_VALUES:
        raise p.error(
            f"finds {len(values)} values to make columns of.", f"DataBrew takes {_MOST_VALUES} at most."
        )
    if set(values) & set(taken):
        raise p.error("would make a column that exists.", "Rename it first.")
    return values


@action(
    "SPLIT_COLUMN_WITH_INTERVALS",
    "column structure",
    "sourceColumn startPosition interval",
    tier=Tier.TOLERANT,
    note="columns _1, _2, … as many as the longest text needs: what stands before startPosition (from 0), then "
    "pieces of interval characters",
)
def split_with_intervals(p: Arguments) -> Change:
    column, text = p.texts()
    start, interval = p.integer("startPosition", least=0), p.integer("interval", least=1)

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        longest = frame.select(text.str.len_chars().max()).item() or 0
        spans = [(0, start)] * bool(start) + [
            (n, interval) for n in range(start, max(longest, start + 1), interval)
        ]
        targets = [f"{column}_{n}" for n in range(1, len(spans) + 1)]
        if set(targets) & set(frame.columns):
            raise p.error("would make a column that exists.", "Rename it first.")
        pieces = [
            pl.when((text.str.len_chars() > low) | (low == 0)).then(text.str.slice(low, size)).alias(t)
            for t, (low, size) in zip(targets, spans, strict=True)
        ]
        return frame.with_columns(pieces)

    return Whole(run, by_values=True)
