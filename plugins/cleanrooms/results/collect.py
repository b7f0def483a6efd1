"""Reads what a protected query left in S3 into one table in its declared columns and a fixed order.

The service documents neither the names nor the number of the objects it writes, and consumers are told to
treat the location as a prefix; so objects are listed, never guessed, and recognised by their first bytes.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from cleanrooms.config.collaboration import Query
from cleanrooms.errors import ReleaseRefused
from cleanrooms.results.columns import arrow_schema, conform

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# A result of groups is small; more than this means that the query returned people.
LARGEST_RESULT = 256 * 1024 * 1024


class Outcome(StrEnum):
    """What a successful query left behind."""

    ROWS = "rows"
    EMPTY = "empty"  # a file with no rows: no group reached the thresholds
    NOTHING_WRITTEN = "nothing_written"  # no file at all: some engines write none for no rows


@dataclass(frozen=True)
class Collected:
    """A query's result: ``table`` has the declared columns, sorted by the dimensions."""

    table: pa.Table
    outcome: Outcome
    parts: tuple[str, ...]


def collect(s3: S3Client, location: str, query: Query, *, largest: int = LARGEST_RESULT) -> Collected:
    """Read the result under a location.

    :param location: ``s3://bucket/prefix/`` or the address of one object, as GetProtectedQuery gives it
    :param largest: most bytes that all parts together may have
    :raises ReleaseRefused: the parts belong to several results, are too large, cannot be read, or do not
        have the declared columns
    """
    bucket, prefix = split_location(location)
    parts = sorted(_parts(s3, bucket, prefix))
    _one_result(query, location, [key for key, _ in parts])
    if (size := sum(size for _, size in parts)) > largest:
        raise ReleaseRefused(
            f"Result of query {query.name} has {size} bytes; at most {largest} are collected.",
            "A weekly query returns groups, not people: aggregate more in its SQL.",
            query=query.name,
            bytes=size,
        )
    keys = tuple(key for key, _ in parts)
    tables = [conform(_read(s3, bucket, key, query), query) for key in keys]
    table = in_order(pa.concat_tables([arrow_schema(query).empty_table(), *tables]), query)
    if not keys:
        return Collected(table, Outcome.NOTHING_WRITTEN, ())
    return Collected(table, Outcome.ROWS if table.num_rows else Outcome.EMPTY, keys)


def split_location(location: str) -> tuple[str, str]:
    """Bucket and key or prefix of an ``s3://`` address.

    :raises ReleaseRefused: it is not one
    """
    parts = urlsplit(location)
    key = location.partition(f"//{parts.netloc}/")[2]
    if parts.scheme != "s3" or not parts.netloc or not key.strip("/"):
        raise ReleaseRefused(
            f"Result location {location!r} is not of the form s3://bucket/prefix/.",
            "Give the location that GetProtectedQuery returns in result.output.s3.",
        )
    return parts.netloc, key


def in_order(table: pa.Table, query: Query) -> pa.Table:
    """Rows by dimensions, then by the other columns; nulls last. Parts arrive in no order of their own."""
    rest = [column.name for column in query.columns if column.name not in query.dimensions]
    return table.sort_by([(name, "ascending") for name in [*query.dimensions, *rest]]).combine_chunks()


def _parts(s3: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Keys and sizes of the data objects: the service also writes probes (zero bytes) and markers (``_``)."""
    folder = prefix.rstrip("/") + "/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/")):
        for item in page.get("Contents", []):
            key, size = item["Key"], item["Size"]
            if key != prefix and not key.startswith(folder):
                continue  # a sibling whose name only begins alike
            inner = key.removeprefix(folder) if key != prefix else key.rsplit("/", 1)[-1]
            if size and not any(name.startswith(("_", ".")) for name in inner.split("/")):
                yield key, size


def _one_result(query: Query, location: str, keys: list[str]) -> None:
    folders = {key.rpartition("/")[0] for key in keys}
    if len(folders) > 1:
        raise ReleaseRefused(
            f"Location {location} of query {query.name} holds the parts of {len(folders)} results.",
            "Collect from the location of one protected query; queries must not share a folder.",
            query=query.name,
            folders=len(folders),
        )


def _read(s3: S3Client, bucket: str, key: str, query: Query) -> pa.Table:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        if body[:4] == b"PAR1":
            return pq.read_table(io.BytesIO(body))
        return _read_csv(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    except (pa.ArrowException, OSError, EOFError) as error:
        # The readers quote the line that they stumble over, so their words go no further.
        kind = type(error).__name__
    raise ReleaseRefused(
        f"Part s3://{bucket}/{key} of query {query.name} is neither readable Parquet nor CSV ({kind}).",
        "Look whether the object is complete; run the query again if it is not.",
        query=query.name,
    )


def _read_csv(body: bytes) -> pa.Table:
    """All columns as text: what a value means is the declared type's business, never a guess from the data.

    An empty field is null, a quoted empty field is an empty text.
    """
    header = pyarrow.csv.open_csv(io.BytesIO(body), parse_options=_CSV).schema.names
    return pyarrow.csv.read_csv(
        io.BytesIO(body),
        parse_options=_CSV,
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


_CSV = pyarrow.csv.ParseOptions(newlines_in_values=True)
