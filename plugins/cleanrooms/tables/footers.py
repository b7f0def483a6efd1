"""What published days say of themselves: the footers of their Parquet objects, read without their rows.

A partition carries counts about its rows in its own footer, so that they appear and are replaced together with them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleanrooms.errors import CatalogError
from cleanrooms.tables.publish import PART, partition_prefix

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NOTES = b"cleanrooms.notes"
"""Key of the file metadata with the counts, as one JSON object."""
_TAIL = 64 * 1024
_GONE = ("NoSuchKey", "404", "InvalidRange", "416")


@dataclass(frozen=True)
class Footer:
    """A published day without its rows.

    :ivar schema: columns, with the metadata that says how a hashed one was made
    :ivar notes: counts that the writer left; empty for objects of others
    """

    day: date
    schema: pa.Schema
    rows: int
    notes: Mapping[str, Any] = field(default_factory=dict)


def published_days(s3: S3Client, bucket: str, prefix: str, first: date, last: date) -> list[date]:
    """Days of a table that have a partition, from first to last, both included, in order."""
    root = partition_prefix(prefix, {})
    found: list[date] = []
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"{root}dt=", Delimiter="/", StartAfter=f"{root}dt={first.isoformat()}"
    )
    for page in pages:
        for folder in page.get("CommonPrefixes", []):
            day = _day(folder["Prefix"].removeprefix(f"{root}dt=").rstrip("/"))
            if day is not None and day > last:
                return found
            if day is not None and day >= first:
                found.append(day)
    return found


def footers(s3: S3Client, bucket: str, prefix: str, days: list[date]) -> Iterator[Footer]:
    """Footers of the given days; a day that is not there, or is being replaced, is left out.

    :raises CatalogError: an object is no Parquet
    """
    for day in days:
        key = partition_prefix(prefix, {"dt": day.isoformat()}) + PART
        tail = _tail(s3, bucket, key)
        if tail is None:
            continue
        try:
            found = pq.read_metadata(io.BytesIO(tail))
            schema = found.schema.to_arrow_schema()
        except (pa.ArrowInvalid, OSError):
            raise CatalogError(
                f"The object s3://{bucket}/{key} is no Parquet file.",
                "Run the day's ingestion again.",
                key=key,
            ) from None
        yield Footer(day, schema, found.num_rows, _notes(found.metadata or {}))


def _tail(s3: S3Client, bucket: str, key: str) -> bytes | None:
    """The end of an object with its whole footer; None if it is not there."""
    size = _TAIL
    while True:
        try:
            answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{size}")
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise
        tail = answer["Body"].read()
        wanted = int.from_bytes(tail[-8:-4], "little") + 8
        if wanted <= size or len(tail) < size:
            return tail
        size = wanted


def _notes(metadata: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    try:
        found = json.loads(metadata.get(NOTES, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
