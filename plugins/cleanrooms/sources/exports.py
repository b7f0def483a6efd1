"""The files of a day's export: which they are, whether all are there, and where they go afterwards.

A file keeps its name on its way: ``s3://bucket/<prefix of the day><name>`` before, and the same key below
``archive_prefix`` afterwards. A night that is run again reads archived files as if they were still in
place; a file that was sent anew takes precedence over its archived namesake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from cleanrooms.errors import SourceError
from cleanrooms.sources.manifest import parse
from cleanrooms.sources.objects import ObjectVersion, read_small

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config.export import Export

_ONE_REQUEST = 5 * 1024**3  # CopyObject takes objects up to this size


@dataclass(frozen=True)
class Listing:
    """What lies in an export's place for a day.

    :ivar files: files to read, in the manifest's order or by name
    :ivar manifest: the manifest itself, if one is asked for and there
    :ivar missing: names without which, or without whose announced size, the export is not complete
    """

    files: tuple[ObjectVersion, ...]
    manifest: ObjectVersion | None
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def fingerprint(self) -> str:
        """Changes whenever a file comes, goes or changes: two equal ones make a quiet listing."""
        return "\n".join(
            f"{file.key} {file.size} {file.etag}" for file in (*self.files, self.manifest) if file
        )


def look(export: Export, day: date, *, s3: S3Client) -> Listing:
    """What is there now for a day. Never raises because something is missing.

    Without a manifest nothing can be missing, and the caller waits until the listing is quiet.

    :raises SourceError: the manifest cannot be understood
    """
    prefix = export.day_prefix(day)
    found = _by_name(s3, export.bucket, export.archive_prefix, prefix)
    found |= _by_name(s3, export.bucket, "", prefix)
    if export.manifest is None:
        names = sorted(name for name in found if fnmatchcase(name, export.pattern))
        return Listing(tuple(found[name] for name in names), None, ())
    manifest_name = export.manifest.replace("{day}", day.isoformat())
    manifest = found.get(manifest_name)
    if manifest is None:
        return Listing((), None, (manifest_name,))
    wanted = parse(read_small(s3, manifest), manifest.url, prefix)
    there = {name for name, size in wanted.items() if name in found and size in (None, found[name].size)}
    return Listing(
        tuple(found[name] for name in wanted if name in there),
        manifest,
        tuple(name for name in wanted if name not in there),
    )


def list_export(export: Export, day: date, *, s3: S3Client, allow_empty: bool = False) -> Listing:
    """Files of a complete export, pinned to what they are now.

    :raises SourceError: files are missing, or there are none and that is not allowed
    """
    listing = look(export, day, s3=s3)
    place = f"s3://{export.bucket}/{export.day_prefix(day)}"
    if listing.missing:
        raise SourceError(
            f"The export of {day} is not complete: {place} lacks {', '.join(listing.missing)}.",
            "Ask the application's owner to send the files, then clear the run.",
            missing=list(listing.missing),
        )
    if not listing.files and not allow_empty:
        wanted = f"listed in {export.manifest}" if export.manifest else f"named like {export.pattern!r}"
        raise SourceError(
            f"The export of {day} is empty: {place} has no files {wanted}.",
            "Check bucket, prefix and pattern; if a day without rows is normal, set allow_empty.",
        )
    return listing


def archive(export: Export, files: Iterable[ObjectVersion], *, s3: S3Client) -> tuple[str, ...]:
    """Move files that were read to the archive; a second call changes nothing.

    :param files: what was read (and its manifest), as pinned when it was listed
    :return: keys in the archive
    :raises SourceError: a file was replaced after it was read; it stays where it is
    """
    return tuple(_archive(export, file, s3) for file in files)


def _archive(export: Export, file: ObjectVersion, s3: S3Client) -> str:
    if file.key.startswith(export.archive_prefix):
        return file.key
    destination = export.archive_prefix + file.key
    try:
        s3.copy(
            {"Bucket": file.bucket, "Key": file.key},
            file.bucket,
            destination,
            ExtraArgs={"CopySourceIfMatch": file.etag},
            Config=TransferConfig(multipart_threshold=_ONE_REQUEST, multipart_chunksize=256 * 1024**2),
        )
        s3.delete_object(Bucket=file.bucket, Key=file.key, IfMatch=file.etag)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchKey", "NotFound") and _exists(s3, file.bucket, destination):
            return destination
        if code in ("412", "PreconditionFailed"):
            raise SourceError(
                f"{file.url} was replaced after it was read, so it was not archived.",
                "Clear the run of this night: it reads the new file.",
            ) from None
        raise
    return destination


def _by_name(s3: S3Client, bucket: str, before: str, prefix: str) -> dict[str, ObjectVersion]:
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=before + prefix):
        for item in page.get("Contents", []):
            name = item["Key"].removeprefix(before + prefix)
            if name and not name.endswith("/"):
                found[name] = ObjectVersion(bucket, item["Key"], item["Size"], item["ETag"])
    return found


def _exists(s3: S3Client, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True
