"""What a preparation did, in numbers: plain data that fits into XCom and a notification."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from cleanrooms.sources.objects import ObjectVersion


@dataclass(frozen=True)
class InputFile:
    """A file that was read, as it was when it was listed.

    :ivar rows: rows in it, good and bad; 0 for a manifest
    """

    bucket: str
    key: str
    size: int
    etag: str
    rows: int = 0
    quarantined: int = 0

    @property
    def version(self) -> ObjectVersion:
        """What ``exports.archive`` takes."""
        return ObjectVersion(self.bucket, self.key, self.size, self.etag)


@dataclass(frozen=True)
class PrepareReport:
    """One source's day: counts, and where the rows are now. Holds no value of any row.

    :ivar files: files read, the manifest last; empty for databases
    :ivar rows_in: rows read, good and bad
    :ivar rows_out: rows published
    :ivar quarantined: bad rows; ``reasons`` counts them by ``column:kind``, several per row if need be
    :ivar identity: values without canonical form by ``column:kind``, whose digests are null
    :ivar hygiene: what the hygiene gate counted (``identity.hygiene.Facts``)
    :ivar bytes_in: bytes as they came: encrypted and packed, or Arrow's of database rows
    :ivar location: ``s3://…/dt=…/`` of the partition
    :ivar key: key of the published object
    :ivar columns: names and Hive types as published
    """

    source: str
    day: str
    files: tuple[InputFile, ...]
    rows_in: int
    rows_out: int
    quarantined: int
    reasons: dict[str, int]
    identity: dict[str, int]
    bytes_in: int
    bytes_out: int
    location: str
    key: str
    quarantine_key: str | None
    columns: dict[str, str] = field(default_factory=dict)
    hygiene: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "files": [asdict(file) for file in self.files]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PrepareReport:
        """Inverse of :meth:`to_dict`."""
        return cls(**{**data, "files": tuple(InputFile(**file) for file in data["files"])})
