"""Models of the files that an external application leaves in S3."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from cleanrooms.config.base import Model


class OpenPGP(Model):
    """Decryption of the files of an export."""

    type: Literal["openpgp"] = "openpgp"
    private_key_secret: str = Field(description="Secrets Manager name of the armored private key")


class CSV(Model):
    type: Literal["csv"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    null_values: tuple[str, ...] = ("", "NULL", "null")


class JSONLines(Model):
    type: Literal["jsonl"] = "jsonl"


class Parquet(Model):
    type: Literal["parquet"] = "parquet"


class Export(Model):
    """Files that an external application leaves in S3 for each day.

    ``prefix`` contains ``{day}`` (YYYY-MM-DD). With a manifest the export is complete when all files that
    it lists are there; without one, when the listing has not changed for ``quiet_seconds``.
    """

    bucket: str
    prefix: str
    pattern: str = "*"
    manifest: str | None = None
    quiet_seconds: int = Field(300, ge=0)
    deadline_seconds: int = Field(6 * 3600, gt=0)
    poll_seconds: int = Field(60, gt=0)
    format: CSV | JSONLines | Parquet = Field(CSV(), discriminator="type")
    compression: Literal["none", "gzip", "bz2", "zstd"] = "none"
    encryption: OpenPGP | None = None
    max_bytes: int = Field(64 * 1024**3, gt=0, description="most bytes that one file may unpack to")
    archive_prefix: str = Field("archive/", description="where files go once the catalog shows their rows")

    @field_validator("prefix")
    @classmethod
    def _has_day(cls, value: str) -> str:
        if "{day}" not in value:
            raise ValueError("must contain {day}, so that each night reads its own files")
        return value

    @model_validator(mode="after")
    def _archive_is_elsewhere(self) -> Export:
        archive = self.archive_prefix
        if not archive.strip("/") or not archive.endswith("/"):
            raise ValueError(f"archive_prefix is {archive!r}; it must name a folder, such as archive/")
        if self.prefix.startswith(archive):
            raise ValueError(
                f"archive_prefix {archive!r} holds prefix {self.prefix!r}, so files that arrive would count as "
                "archived; use a folder beside it, such as archive/"
            )
        return self

    def day_prefix(self, day: date) -> str:
        """Key prefix of the files of one day."""
        return self.prefix.replace("{day}", day.isoformat())
