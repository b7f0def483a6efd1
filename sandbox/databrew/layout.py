"""How a job's output lies in S3.

Source: listings of job outputs in public repositories (``<job>_part00000.parquet.snappy``); the folder of a
run that does not overwrite, ``<job>_22Nov2026_1795360000000``, is from memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

CSV_COMPRESSION = {"GZIP": "gz", "BZIP2": "bz2", "ZSTD": "zst"}
PARQUET_COMPRESSION = {"SNAPPY": "snappy", "GZIP": "gz", "ZSTD": "zstd", "BROTLI": "br", "LZ4": "lz4"}


def folder(output: Mapping[str, Any]) -> str:
    """Returns the key prefix of the output's location, ending in a slash unless it is the whole bucket."""
    key = str(output["Location"].get("Key", "")).strip("/")
    return f"{key}/" if key else ""


def key(output: Mapping[str, Any], job: str, started: float, part: int) -> str:
    """Returns the key of one file of a run.

    :param started: epoch seconds of the run's start
    """
    if output.get("Overwrite"):
        return f"{folder(output)}{job}_part{part:05d}.{_ending(output)}"
    day = dt.datetime.fromtimestamp(started, dt.UTC).strftime("%d%b%Y")
    run = f"{job}_{day}_{int(started * 1000)}"
    return f"{folder(output)}{run}/{run}_part{part:05d}.{_ending(output)}"


def _ending(output: Mapping[str, Any]) -> str:
    kind, packed = output.get("Format", "CSV"), output.get("CompressionFormat")
    endings = PARQUET_COMPRESSION if kind == "PARQUET" else CSV_COMPRESSION
    return kind.lower() + (f".{endings[packed]}" if packed else "")
