"""Brings the files that a query needs from the owners' buckets into the query's own folder."""

from __future__ import annotations

import bz2
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sandbox.cleanrooms.catalog import GlueTable, Partition, Storage, read_partitions
from sandbox.cleanrooms.engine.failures import (
    INVALID_RESOURCE,
    RESOURCE_ACCESS_DENIED,
    RESOURCE_NOT_FOUND,
    QueryFailed,
)
from sandbox.cleanrooms.engine.permissions import check_object_access
from sandbox.cleanrooms.engine.pruning import needed
from sandbox.clients import root_client

_PARALLEL = 4
_ONE_THREAD = TransferConfig(use_threads=False)
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True)
class Source:
    """A table of a query: its association's name and role, and the catalog's entry."""

    name: str
    role: str
    table: GlueTable


@dataclass(frozen=True)
class _File:
    bucket: str
    key: str
    place: Path


def fetch(source: Source, sql: str, folder: Path, file_format: str, still_wanted: Callable[[], None]) -> int:
    """Downloads the files of one table and returns their number.

    Files of a partition go to ``key=value`` folders, values percent-encoded, as Hive lays them out.

    :param folder: empty; made if needed
    :param file_format: ``parquet``, ``csv`` or ``json``
    :param still_wanted: called before each file; raises to stop
    :raises QueryFailed: the role may not read, the bucket or a partition's data is missing
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(source, sql, folder, file_format)
    for bucket in dict.fromkeys(file.bucket for file in files):
        keys = [file.key for file in files if file.bucket == bucket]
        check_object_access(source.name, source.role, source.table, bucket, keys)
    client = root_client("s3", source.table.account, source.table.region)

    def download(file: _File) -> None:
        still_wanted()
        file.place.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(file.bucket, file.key, str(file.place), Config=_ONE_THREAD)
        if file.place.suffix == ".bz2":
            _unpack(file.place)

    with ThreadPoolExecutor(_PARALLEL) as pool:
        try:
            list(pool.map(download, files))
        except ClientError as error:
            raise _unreadable(source.name, error) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return len(files)


def _files(source: Source, sql: str, folder: Path, file_format: str) -> list[_File]:
    table = source.table
    if not table.partition_keys:
        return _listed(source, table.storage, folder, file_format)
    files = []
    for partition in needed(sql, source.name, table.partition_keys, read_partitions(table)):
        found = _listed(source, partition.storage, folder / _hive_path(table, partition), file_format)
        if not found:
            # The service's own words; every partition must have data.
            missing = ", ".join(
                f"{key}={value}" for key, value in zip(table.partition_keys, partition.values, strict=True)
            )
            raise QueryFailed(INVALID_RESOURCE, f"Missing partition data: {source.name} ({missing})")
        files += found
    return files


def _hive_path(table: GlueTable, partition: Partition) -> str:
    pairs = zip(table.partition_keys, partition.values, strict=True)
    return "/".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)


def _listed(source: Source, storage: Storage, folder: Path, file_format: str) -> list[_File]:
    """Objects under a location, without markers: empty ones and names that begin with ``_`` or ``.``."""
    client = root_client("s3", source.table.account, source.table.region)
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket, Prefix=storage.prefix)
        keys = [
            entry["Key"] for page in pages for entry in page.get("Contents", []) if _is_data(entry, storage)
        ]
    except ClientError as error:
        raise _unreadable(source.name, error) from None
    return [
        _File(storage.bucket, key, folder / f"{number:06}{_suffix(key, file_format)}")
        for number, key in enumerate(sorted(keys))
    ]


def _is_data(entry: dict[str, Any], storage: Storage) -> bool:
    parts: Sequence[str] = entry["Key"].removeprefix(storage.prefix).split("/")
    return entry["Size"] > 0 and not any(part.startswith(("_", ".")) for part in parts)


def _suffix(key: str, file_format: str) -> str:
    packed = next((ending for ending in (*_COMPRESSED, ".bz2") if key.endswith(ending)), "")
    return f".{file_format}" + ("" if file_format == "parquet" else packed)


def _unpack(packed: Path) -> None:
    with bz2.open(packed) as source, packed.with_suffix("").open("wb") as target:
        shutil.copyfileobj(source, target)
    packed.unlink()


def _unreadable(name: str, error: ClientError) -> QueryFailed:
    code = error.response["Error"]["Code"]
    if code in ("NoSuchBucket", "NoSuchKey", "404"):
        return QueryFailed(RESOURCE_NOT_FOUND, f"The data of table {name} was not found in Amazon S3.")
    return QueryFailed(
        RESOURCE_ACCESS_DENIED,
        "One or more tables referenced by the query is not accessible by its associated service role: "
        f"Amazon S3 answered {code} for table {name}.",
    )
