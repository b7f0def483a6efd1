"""When the nightly export of another system is complete: a pure judgement over an S3 listing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cleanrooms.errors import ExportMissing
from cleanrooms.sources.manifest import LARGEST, parse

MANIFEST_LIMIT = LARGEST + 1  # bytes to read: one more than a manifest may have


@dataclass(frozen=True)
class Export:
    """Where an export is expected and how it says that it is complete.

    :param bucket: S3 bucket
    :param prefix: key prefix of one delivery; ends with ``/`` (added if it does not)
    :param manifest: name of the manifest object under the prefix; None if the sender writes none
    :param pattern: without a manifest, the names under the prefix that count
    :param quiet_seconds: without a manifest, how long the listing must stay as it is
    :param archive_prefix: where files of a delivery that was taken before lie, under their own keys; they
        count as there, so that a run can be repeated
    """

    bucket: str
    prefix: str
    manifest: str | None = None
    pattern: str = "*"
    quiet_seconds: float = 300.0
    archive_prefix: str | None = None

    @property
    def folder(self) -> str:
        """The prefix with its final slash, so that 2017-01-1 does not hold 2017-01-10."""
        return f"{self.prefix.rstrip('/')}/" if self.prefix else ""

    @property
    def folders(self) -> tuple[str, ...]:
        """Prefixes to list: the archive first, for what was sent anew takes precedence."""
        archive = (f"{self.archive_prefix}{self.folder}",) if self.archive_prefix else ()
        return (*archive, self.folder)

    def listing(self, objects: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, str]]:
        """Name to size and ETag of what lies under the folders, without folder markers."""
        return {
            self._name(item["Key"]): (item["Size"], item["ETag"])
            for item in objects
            if not item["Key"].endswith("/")
        }

    def manifest_key(self, objects: Iterable[Mapping[str, Any]]) -> str | None:
        """Key of the manifest that counts, if there is one."""
        keys = [item["Key"] for item in objects if self._name(item["Key"]) == self.manifest]
        return keys[-1] if keys else None

    def _name(self, key: str) -> str:
        folder = next(folder for folder in self.folders if key.startswith(folder))
        return key.removeprefix(folder)


@dataclass
class Judgement:
    """What a look at the listing showed.

    :param ready: the export is complete
    :param seen: in words, what is there and what is missing
    :param files: number of files that belong to the export
    :param bytes: their size
    """

    ready: bool
    seen: str
    files: int = 0
    bytes: int = 0

    @property
    def result(self) -> dict[str, int]:
        """What the sensor returns."""
        return {"files": self.files, "bytes": self.bytes}


@dataclass
class Quiet:
    """Since when a listing has looked as it does.

    :param digest: of the listing
    :param since: epoch seconds of the first look at which it was so
    """

    digest: str = ""
    since: float = 0.0

    def seconds(self, listing: Mapping[str, tuple[int, str]], now: float) -> float:
        """Seconds for which the listing has not changed, by our own looks.

        S3's LastModified cannot say so: for a multipart upload it is the time at which the upload began.
        """
        digest = hashlib.sha256(json.dumps(sorted(listing.items())).encode()).hexdigest()
        if digest != self.digest:
            self.digest, self.since = digest, now
        return now - self.since


def by_manifest(export: Export, listing: Mapping[str, tuple[int, str]], manifest: bytes | None) -> Judgement:
    """Ready when every file that the manifest names is there, with its size if it names one.

    :param manifest: content of the manifest object; None if it is not there
    :raises SourceError: the manifest cannot be understood
    """
    if manifest is None:
        return Judgement(False, f"{len(listing)} objects but no {export.manifest}")
    url = f"s3://{export.bucket}/{export.folder}{export.manifest}"
    wanted = list(parse(manifest, url, export.folder).items())
    missing = [name for name, _ in wanted if name not in listing]
    torn = [name for name, size in wanted if name in listing and size not in (None, listing[name][0])]
    if missing or torn:
        parts = [f"missing: {_some(missing)}"] if missing else []
        parts += [f"of another size than the manifest says: {_some(torn)}"] if torn else []
        return Judgement(False, f"{export.manifest} names {len(wanted)} files, " + "; ".join(parts))
    total = sum(listing[name][0] for name, _ in wanted)
    return Judgement(True, f"all {len(wanted)} files of {export.manifest}", len(wanted), total)


def by_quiet(export: Export, listing: Mapping[str, tuple[int, str]], quiet: Quiet, now: float) -> Judgement:
    """Ready when at least one file matches the pattern and nothing changed for ``quiet_seconds``."""
    matching = {name: facts for name, facts in listing.items() if fnmatchcase(name, export.pattern)}
    still = quiet.seconds(matching, now)
    if not matching:
        return Judgement(False, f"{len(listing)} objects, none matches {export.pattern}")
    total = sum(size for size, _ in matching.values())
    seen = f"{len(matching)} files of {total} bytes, unchanged for {still:.0f} s"
    return Judgement(still >= export.quiet_seconds, seen, len(matching), total)


def missing(export: Export, seen: str, deadline_seconds: float) -> ExportMissing:
    """The error when no complete export arrived in time."""
    return ExportMissing(
        f"No complete export in s3://{export.bucket}/{export.folder} after {deadline_seconds:.0f} s. Seen: {seen}.",
        "Ask the sender for the delivery, or correct bucket, prefix, manifest or pattern of the source; "
        "then clear the task.",
        bucket=export.bucket,
        prefix=export.folder,
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
