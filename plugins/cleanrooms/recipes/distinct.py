"""Functions of one Python value on whole columns, called once per distinct value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl


def per_distinct(value: pl.Expr, function: Callable[[Any], Any], kind: pl.DataType) -> pl.Expr:
    """The function's result for every value; nulls stay null and are not passed to it."""

    def run(values: pl.Series) -> pl.Series:
        known = values.drop_nulls().unique()
        if known.is_empty():
            return pl.Series(values.name, [None] * len(values), kind)
        results = pl.Series("r", [function(v) for v in known.to_list()], kind)
        table = pl.DataFrame({"k": known, "r": results})
        return values.to_frame("k").join(table, on="k", how="left", maintain_order="left").get_column("r")

    return value.map_batches(run, return_dtype=kind)
