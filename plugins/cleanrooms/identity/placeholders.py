"""Digests that stand for nobody: of the empty text, of null, nan and the like, plain and keyed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from cleanrooms.identity.email import EMPTY_ADDRESSES
from cleanrooms.identity.hashing import digest
from cleanrooms.identity.text import PLACEHOLDERS

_SENDERS = ("md5", "sha1", "sha256")
_NUMBERS = ("0", "1", "-1", "0000000000", "1111111111", "9999999999", "+10000000000", "+11111111111")


def texts() -> Iterator[str]:
    """Texts that exports and tills write where a value is missing, in the usual capitals."""
    for text in ("", " ", "nan", "NaN", "true", "false", *sorted(PLACEHOLDERS | EMPTY_ADDRESSES), *_NUMBERS):
        yield from {text: None, text.upper(): None, text.title(): None}


def digests_of_nothing(
    made: Mapping[str, str], keys: Callable[[str], Sequence[Any]], kind: pa.DataType
) -> pl.Series:
    """All digests of placeholders that could stand in a key column, in the column's type.

    A sender may have hashed them before we did, so the plain digests are among them, and the digests of these.

    :param made: identity metadata of the column: algorithm, encoding, key_epoch; empty for a sender's digests
    :param keys: gives the secret keys of an epoch
    """
    plain = [text.encode() for text in texts()]
    sent = [hashlib.new(name, text, usedforsecurity=False).digest() for name in _SENDERS for text in plain]
    written = [form for raw in sent for form in (raw.hex(), raw.hex().upper())]
    if not made:
        if pa.types.is_binary(kind):
            return pl.Series(sent, dtype=pl.Binary)
        encoded = pl.Series(sent, dtype=pl.Binary).bin.encode("base64")
        return pl.concat([pl.Series(written, dtype=pl.String), encoded])
    messages = pl.Series([*texts(), *written], dtype=pl.String)
    epochs = keys(made["key_epoch"]) if "key_epoch" in made else [None]
    return pl.concat([digest(messages, made["algorithm"], made["encoding"], key) for key in epochs])
