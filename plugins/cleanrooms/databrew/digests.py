"""Digests as DataBrew writes them (padded base64), brought to what our tables hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import polars as pl
import pyarrow as pa

from cleanrooms.identity import METADATA, SecretKey, digest

_SIZES = {"MD5": 16, "SHA1": 20, "SHA256": 32, "SHA512": 64}


def hashed_columns(schema: pa.Schema) -> dict[str, Mapping[str, str]]:
    """How the digests of each column were made, by the schema's metadata."""
    return {f.name: json.loads(f.metadata[METADATA]) for f in schema if METADATA in (f.metadata or {})}


def of_blank(
    schema: pa.Schema, keys: Callable[[str], Sequence[SecretKey]]
) -> tuple[dict[str, pl.Series], list[str]]:
    """Digests of the empty text by column, as the service writes them; and the columns to be rewritten in hex.

    :param keys: gives the secret keys of an epoch
    """
    nothing, hexed = {}, []
    for name, made in hashed_columns(schema).items():
        epochs: Sequence[SecretKey | None] = keys(made["key_epoch"]) if "key_epoch" in made else [None]
        empty = pl.Series([""], dtype=pl.String)
        nothing[name] = pl.concat([digest(empty, made["algorithm"], "base64", key) for key in epochs])
        if made["encoding"] == "hex":
            hexed.append(name)
    return nothing, hexed


def rewritten(values: pa.Array, nothing: pl.Series, *, to_hex: bool) -> pa.Array | None:
    """The column with null for digests of nothing, in hex if asked; None if it holds no base64 digests.

    :param nothing: digests of blank text, which also say how long a digest is
    """
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values if values.null_count == len(values) else None
    column = pl.Series("v", pl.from_arrow(values))
    frame = column.to_frame()
    raw = frame.select(pl.col("v").str.decode("base64", strict=False)).to_series()
    if (
        raw.null_count() > column.null_count()
        or not raw.bin.size().drop_nulls().is_in(list(_SIZES.values())).all()
    ):
        return None
    some = pl.when(~pl.col("v").is_in(nothing.implode())).then(pl.col("v")).alias("v")
    frame = frame.select(some)
    if to_hex:
        frame = frame.select(pl.col("v").str.decode("base64").bin.encode("hex"))
    return frame.to_series().to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
