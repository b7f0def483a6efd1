"""How a table's files are read, from what its Glue entry says about their format."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms.catalog import Storage
from sandbox.cleanrooms.engine.failures import INVALID_RESOURCE, QueryFailed


def format_of(storage: Storage) -> str:
    """Returns ``parquet``, ``csv`` or ``json``.

    :raises QueryFailed: another format
    """
    serde = storage.serde.lower()
    if "parquet" in serde or "parquet" in storage.input_format.lower():
        return "parquet"
    if serde.endswith(("opencsvserde", "lazysimpleserde")):
        return "csv"
    if serde.endswith("jsonserde"):
        return "json"
    message = "One of the underlying datasets has an unsupported file format."
    raise QueryFailed(INVALID_RESOURCE, message)


def csv_options(storage: Storage) -> dict[str, Any]:
    """Returns how to read a CSV table: Hive's serde parameters, or their defaults.

    Columns are found by their position, as in Hive; a header line is data unless the table says to skip it.
    """
    given = storage.serde_parameters
    skip = storage.parameters.get("skip.header.line.count") or given.get("skip.header.line.count") or "0"
    if storage.serde.lower().endswith("opencsvserde"):
        return {
            "delimiter": given.get("separatorChar", ","),
            "quote": given.get("quoteChar", '"'),
            "escape": given.get("quoteChar", '"'),
            "null": "\\N",
            "skip": int(skip),
        }
    return {
        "delimiter": given.get("field.delim", "\x01"),
        "quote": "",
        "escape": given.get("escape.delim", ""),
        "null": given.get("serialization.null.format", "\\N"),
        "skip": int(skip),
    }
