"""Arrow batches as Polars frames, and back."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pyarrow as pa

Transform = Callable[[pl.DataFrame], pl.DataFrame]
"""What a step does to a frame."""


def to_frame(batch: pa.RecordBatch) -> pl.DataFrame:
    """The batch as a Polars frame, also when it has no rows."""
    frame = pl.from_arrow(pa.Table.from_batches([batch]))
    assert isinstance(frame, pl.DataFrame)
    return frame


def to_batch(frame: pl.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    """The frame as one batch of exactly this schema."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):  # Arrow casts nothing to it, nulls of text neither
            table = table.set_column(place, field, pa.nulls(len(table)))
    table = table.cast(schema).combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=schema)
