"""Bad rows, kept encrypted where few may look, so that nothing is lost and nothing bad is published.

One object per source and day: ``<prefix>/<source>/dt=<day>/rows.jsonl``, a line per row with its file, its
number, its reasons and what it held. The same input gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import IO, TYPE_CHECKING, Any

from cleanrooms.errors import QuarantineError
from cleanrooms.sources.contract import BadRow
from cleanrooms.tables.publish import Upload, partition_prefix

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from cleanrooms.config import source as config


class Quarantine:
    """Bad rows of one source and day on their way into their object.

    Used as a context manager; only :meth:`commit` makes the object appear, whatever else happens.

    :ivar rows: bad rows so far
    :ivar reasons: how often each reason occurred; a row may have several
    """

    def __init__(self, s3: S3Client, settings: config.Quarantine, source: str, day: date) -> None:
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self.bucket = settings.bucket
        self.key = partition_prefix(f"{settings.prefix}/{source}", {"dt": day.isoformat()}) + "rows.jsonl"
        self._s3 = s3
        self._settings = settings
        self._upload: Upload | None = None

    def add(self, file: str, rows: Iterable[BadRow]) -> None:
        """Take bad rows of a file, in its order."""
        for row in rows:
            self.rows += 1
            self.reasons.update(row.reasons)
            self._open().file.write(line(file, row))

    def append(self, lines: IO[bytes], rows: int, reasons: Mapping[str, int]) -> None:
        """Take bad rows that were written as lines before, with what was counted then."""
        self.rows += rows
        self.reasons.update(reasons)
        while chunk := lines.read(1024**2):
            self._open().file.write(chunk)

    def commit(self) -> None:
        """Make the object appear, or remove an earlier one if there is no bad row now."""
        if self._upload is not None:
            self._upload.commit()
        else:
            self._s3.delete_object(Bucket=self.bucket, Key=self.key)

    def check(self, rows_in: int) -> None:
        """Refuse a day with too many bad rows.

        :param rows_in: all rows of the day, good and bad
        :raises QuarantineError: with counts per reason
        """
        allowed = self._settings.max_ratio
        if not rows_in or self.rows / rows_in <= allowed:
            return
        counts = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common(20))
        raise QuarantineError(
            f"{self.rows} of {rows_in} rows are bad ({self.rows / rows_in:.2%}, allowed {allowed:.2%}): {counts}. "
            "Nothing was published.",
            f"Look at s3://{self.bucket}/{self.key} with a role that may; then ask the sender for a correct "
            "file, or change the contract or quarantine.max_ratio.",
            rows_in=rows_in,
            quarantined=self.rows,
            reasons=dict(self.reasons),
        )

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, *error: object) -> None:
        if self._upload is not None:
            self._upload.abort()

    def _open(self) -> Upload:
        if self._upload is None:
            self._upload = Upload(self._s3, self.bucket, self.key, create=encryption(self._settings))
        return self._upload


def encryption(settings: config.Quarantine) -> dict[str, Any]:
    """Arguments of S3 for an object with bad rows."""
    return {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": settings.kms_key,
        "BucketKeyEnabled": True,
    }


def line(file: str, row: BadRow) -> bytes:
    """A bad row as a line of the quarantine's object."""
    record: dict[str, Any] = {"file": file, "row": row.number, "reasons": row.reasons}
    record |= {"line": row.line} if row.cells is None else {"cells": dict(row.cells)}
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
