"""Atomic publication: an object appears whole at its key or not at all.

S3 shows an object only once its multipart upload is completed, and replaces the one before in the same
moment. Every partition is one object at one fixed key, so a reader sees the old rows or the new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import smart_open.s3

from cleanrooms.tables.parquet import ParquetSink

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART = "part-00000.parquet"
PART_BYTES = 16 * 1024**2
"""Size of the parts of an upload; 10,000 of them bound an object to 156 GiB."""


def partition_prefix(prefix: str, values: Mapping[str, str]) -> str:
    """Key prefix of a partition in Hive's layout.

    >>> partition_prefix("lake/exposures/", {"dt": "2017-11-13"})
    'lake/exposures/dt=2017-11-13/'
    """
    folders = [part for part in prefix.split("/") if part]
    return "/".join([*folders, *(f"{key}={value}" for key, value in values.items())]) + "/"


class Upload:
    """An object being written: it appears at :meth:`commit`, or never.

    Uploads to the same key that a killed process left behind are aborted first.

    :param create: further arguments of CreateMultipartUpload (encryption)
    """

    def __init__(
        self, s3: S3Client, bucket: str, key: str, *, create: Mapping[str, Any] | None = None
    ) -> None:
        _abort_left_behind(s3, bucket, key)
        arguments = {"S3.Client.create_multipart_upload": dict(create or {})}
        self.file: IO[bytes] = smart_open.s3.open(
            bucket, key, "wb", client=s3, min_part_size=PART_BYTES, client_kwargs=arguments
        )

    def commit(self) -> None:
        """Make the object appear, in place of the one before."""
        self.file.close()

    def abort(self) -> None:
        """Leave nothing; does nothing after a commit."""
        self.file.terminate()  # type: ignore[attr-defined]


@contextmanager
def upload(s3: S3Client, bucket: str, key: str) -> Iterator[IO[bytes]]:
    """A file to write an object to; the object appears when the block ends without an exception."""
    started = Upload(s3, bucket, key)
    try:
        yield started.file
        started.commit()
    finally:
        started.abort()


class PartitionWriter:
    """Rows on their way into one partition."""

    def __init__(self, file: IO[bytes], schema: pa.Schema, location: str, key: str) -> None:
        self.location = location
        self.key = key
        self.bytes = 0
        self._file = file
        self._sink = ParquetSink(file, schema)

    @property
    def rows(self) -> int:
        return self._sink.rows

    def write(self, batch: pa.RecordBatch) -> None:
        self._sink.write(batch)

    def note(self, key: bytes, value: bytes) -> None:
        """Leave a note about the rows in the object's footer: counts, never values."""
        self._sink.note(key, value)

    def close(self) -> None:
        self._sink.close()
        self.bytes = self._file.tell()


@contextmanager
def replace_partition(
    s3: S3Client, bucket: str, prefix: str, values: Mapping[str, str], schema: pa.Schema
) -> Iterator[PartitionWriter]:
    """Replace a partition by the rows that the block writes, once the block ends without an exception.

    Without rows the object is an empty Parquet file that still has the schema. Other objects in the
    partition are removed after the new one is there.

    :param values: partition keys and their values, outermost first
    """
    folder = partition_prefix(prefix, values)
    key = folder + PART
    with upload(s3, bucket, key) as file:
        writer = PartitionWriter(file, schema, f"s3://{bucket}/{folder}", key)
        yield writer
        writer.close()
    _remove_others(s3, bucket, folder, key)


def _abort_left_behind(s3: S3Client, bucket: str, key: str) -> None:
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key):
        for left in page.get("Uploads", []):
            if left["Key"] == key:
                s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=left["UploadId"])


def _remove_others(s3: S3Client, bucket: str, folder: str, key: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder):
        for found in page.get("Contents", []):
            if found["Key"] != key:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
