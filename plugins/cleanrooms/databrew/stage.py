"""A day's good rows, checked as the worker checks them, laid down as typed Parquet for the service to read."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import IO, TYPE_CHECKING, Any

from cleanrooms.databrew import names
from cleanrooms.errors import SourceError
from cleanrooms.sources.contract import Checked, check_rows, contract_schema
from cleanrooms.sources.pipeline import ordered_map
from cleanrooms.sources.prepare import file_name, listed, read_file
from cleanrooms.sources.quarantine import Quarantine
from cleanrooms.sources.report import InputFile
from cleanrooms.sources.rows import Rows
from cleanrooms.tables.parquet import ParquetSink
from cleanrooms.tables.publish import Upload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.source import Source
    from cleanrooms.sources.secrets import SecretStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Staged:
    """What was staged: counts and places, no value of any row.

    :ivar token: names this staging; the job's run on its rows writes below it
    :ivar files: files read, the manifest last
    :ivar rows_in: rows read, good and bad
    :ivar good: rows staged
    """

    source: str
    day: str
    token: str
    files: tuple[InputFile, ...]
    rows_in: int
    good: int
    quarantined: int
    reasons: dict[str, int]
    bytes_in: int
    key: str
    quarantine_key: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "files": [asdict(file) for file in self.files]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Staged:
        """Inverse of :meth:`to_dict`."""
        return cls(**{**data, "files": tuple(InputFile(**file) for file in data["files"])})


def stage(source: Source, day: date, *, s3: S3Client, secrets: SecretStore) -> Staged:
    """Stage a day of a source; what was staged for it before is removed first.

    :raises SourceError: the input cannot be used (also ContractError, QuarantineError); nothing is staged
    :raises TransientError: S3 did not answer
    """
    clear(source, day, s3=s3)
    token = uuid.uuid4().hex[:16]
    place, key = names.engine(source), names.staged_key(source, day, token)
    files, manifest = listed(source, day, s3)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place.kms_key, "BucketKeyEnabled": True}
    upload = Upload(s3, place.bucket, key, create=encryption)
    try:
        with Quarantine(s3, source.quarantine, source.name, day) as quarantine:
            files, good = _write(source, day, files, quarantine, upload.file, s3, secrets)
            rows_in = good + quarantine.rows
            quarantine.commit()
            quarantine.check(rows_in)
        if not rows_in and not source.allow_empty:
            raise SourceError(
                f"Source {source.name} has no rows for {day}. Nothing was published.",
                "Ask the source's owner; if a day without rows is normal, set allow_empty.",
            )
        upload.commit()
    finally:
        upload.abort()
    log.info("Source %s: %d rows staged, %d bad.", source.name, good, quarantine.rows)
    return Staged(
        source=source.name,
        day=day.isoformat(),
        token=token,
        files=(*files, *manifest),
        rows_in=rows_in,
        good=good,
        quarantined=quarantine.rows,
        reasons=dict(sorted(quarantine.reasons.items())),
        bytes_in=sum(file.size for file in files),
        key=key,
        quarantine_key=quarantine.key if quarantine.rows else None,
    )


def clear(source: Source, day: date, *, s3: S3Client) -> int:
    """Delete all that is staged for a day, unfinished uploads included; how many objects there were."""
    bucket, folder = names.engine(source).bucket, names.folder(source, day)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=folder):
        for left in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=left["Key"], UploadId=left["UploadId"])
    keys = [
        found["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        for found in page.get("Contents", [])
    ]
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(keys)


@dataclass(frozen=True)
class _Part:
    name: str
    file: int
    rows: Rows


def _write(
    source: Source,
    day: date,
    files: list[InputFile],
    quarantine: Quarantine,
    out: IO[bytes],
    s3: S3Client,
    secrets: SecretStore,
) -> tuple[list[InputFile], int]:
    sink, counted = ParquetSink(out, contract_schema(source.contract)), list(files)

    def check(part: _Part) -> tuple[_Part, Checked]:
        return part, check_rows(part.rows, source.contract)

    with closing(_parts(source, day, files, s3, secrets)) as parts:
        for part, checked in ordered_map(check, parts):
            quarantine.add(part.name, checked.bad)
            sink.write(checked.good)
            seen = counted[part.file]
            counted[part.file] = replace(
                seen, rows=seen.rows + checked.rows, quarantined=seen.quarantined + len(checked.bad)
            )
    sink.close()
    return counted, sink.rows


def _parts(
    source: Source, day: date, files: list[InputFile], s3: S3Client, secrets: SecretStore
) -> Generator[_Part, None, None]:
    assert source.export is not None
    for index, file in enumerate(files):
        log.info("Source %s: reading %s (%d bytes).", source.name, file.version.url, file.size)
        name = file_name(source.export, day, file.key)
        for rows in read_file(source, source.export, file.version, s3, secrets, name):
            yield _Part(name, index, rows)
