"""Reads what a crawler needs of a Parquet object: its schema in Hive types and its number of rows."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TAIL = 64 * 1024  # bytes of the first ranged GET: most footers fit

# Order matters only for the reader; each predicate names one Arrow type.
_SIMPLE = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.uint8(): "smallint",
    pa.int16(): "smallint",
    pa.uint16(): "int",
    pa.int32(): "int",
    pa.uint32(): "bigint",
    pa.int64(): "bigint",
    pa.uint64(): "bigint",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.date64(): "date",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
}


class UnreadableObject(Exception):
    """The object is not a Parquet file, or a broken one; names the key."""


@dataclass(frozen=True)
class Footer:
    """``columns``: lower-case name -> Hive type, in file order; ``size`` in bytes; ``kms_key`` may be empty."""

    columns: Mapping[str, str]
    rows: int
    size: int
    kms_key: str = ""


def read_footer(s3: Any, bucket: str, key: str, size: int) -> Footer:
    """Reads one object's footer by ranged GETs: one for most, two when the footer is long.

    :raises UnreadableObject: not Parquet
    :raises botocore.exceptions.ClientError: S3 refused
    """
    tail, kms_key = _last_bytes(s3, bucket, key, size, TAIL)
    if len(tail) >= 8:
        needed = struct.unpack("<I", tail[-8:-4])[0] + 8
        if len(tail) < needed <= size:
            tail, kms_key = _last_bytes(s3, bucket, key, size, needed)
    try:
        metadata = pq.read_metadata(pa.BufferReader(tail))
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as problem:
        raise UnreadableObject(f"s3://{bucket}/{key} is not a readable Parquet file") from problem
    columns = {field.name.lower(): hive_type(field.type) for field in schema}
    return Footer(columns, metadata.num_rows, size, kms_key)


def _last_bytes(s3: Any, bucket: str, key: str, size: int, wanted: int) -> tuple[bytes, str]:
    start = max(0, size - wanted)
    reply = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{size - 1}")
    return reply["Body"].read(), reply.get("SSEKMSKeyId", "")


def hive_type(kind: pa.DataType) -> str:
    """Returns the type that Glue writes into the catalog; ``string`` for what Hive has no word for."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if pa.types.is_dictionary(kind):
        return hive_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_fixed_size_binary(kind):
        return "binary"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{hive_type(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{hive_type(kind.key_type)},{hive_type(kind.item_type)}>"
    if pa.types.is_struct(kind):
        members = (f"{field.name.lower()}:{hive_type(field.type)}" for field in kind)
        return f"struct<{','.join(members)}>"
    return "string"
