"""Model of ``include/sources/*.yaml``: where the data of one table comes from, and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from cleanrooms.config.base import Model

Name = r"^[a-z][a-z0-9_]*$"


class Schedule(Model):
    """When a DAG fires: ``cron`` read in ``timezone``. A night ingests the day before it fires, a weekly run
    reports the ISO week before the one in which it fires."""

    cron: str
    timezone: str = "UTC"
    start: date
    end: date | None = Field(None, description="last day of a source or collaboration that has ended")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not a time zone of the IANA database, such as Europe/Paris")
        return value

    @property
    def start_time(self) -> datetime:
        """Midnight of the start day, in the schedule's time zone."""
        return datetime.combine(self.start, time.min, ZoneInfo(self.timezone))

    @property
    def end_time(self) -> datetime | None:
        """Last moment of the end day, if there is one."""
        return datetime.combine(self.end, time.max, ZoneInfo(self.timezone)) if self.end else None


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


class Database(Model):
    """Rows that a query reads from a relational database.

    ``sql`` names a file in ``include/sql/extract/`` with the parameters ``:day_start`` and ``:day_end``
    (timestamps, start included, end excluded, in the schedule's time zone).
    """

    connection: str = Field(description="Airflow connection id")
    sql: str
    batch_rows: int = Field(65_536, gt=0)


class Column(Model):
    """One column that the source promises."""

    name: str = Field(min_length=1)
    type: Literal["string", "int", "bigint", "double", "decimal", "boolean", "date", "timestamp"] = "string"
    required: bool = Field(False, description="a row without a value is bad")
    precision: int = 18
    scale: int = 2


class Contract(Model):
    """Columns the source promises; anything else stops the run before a row is read."""

    columns: tuple[Column, ...] = Field(min_length=1)
    extra_columns: Literal["refuse", "drop"] = "refuse"

    @field_validator("columns")
    @classmethod
    def _unique(cls, value: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        return value


class Quarantine(Model):
    """Where bad rows go, encrypted with the bucket's KMS key, and how many are tolerated."""

    bucket: str
    prefix: str = "quarantine/"
    kms_key: str = Field(description="KMS key id, ARN or alias for the quarantined rows")
    max_ratio: float = Field(0.01, ge=0, le=1)


class Identity(Model):
    """An identifier column brought to its canonical form before the recipe hashes it."""

    column: str
    identifier: Literal[
        "email", "phone", "first_name", "last_name", "full_name", "street", "city", "state",
        "postal_code", "country", "birth_date", "mobile_ad_id",
    ]  # fmt: skip
    dialect: str = "plain"
    region: str | None = Field(None, description="default region of phone numbers (ISO 3166 alpha-2)")
    region_column: str | None = Field(
        None, description="column with each phone number's region (ISO 3166 alpha-2); region where it is null"
    )

    @model_validator(mode="after")
    def _regions_are_of_phones(self) -> Identity:
        if self.region_column is not None and self.identifier != "phone":
            raise ValueError(
                f"region_column belongs to phones, and column {self.column} holds {self.identifier}"
            )
        return self


class KeyLimits(Model):
    """What a day's keys in one column may show before publication stops; shares are of the day's rows."""

    max_null_share: float = Field(0.9, ge=0, le=1, description="rows without a key")
    max_placeholder_share: float = Field(0.0, ge=0, le=1, description="digests of null, nan, the empty text…")
    max_rows_per_key: int = Field(10_000, gt=0, description="rows that may own one key")
    max_null_rise: float = Field(0.3, ge=0, le=1, description="rise of the share of nulls above earlier runs")


class Hygiene(KeyLimits):
    """Thresholds of the gate between hashing and publication, for all key columns and for each."""

    min_rows: int = Field(100, ge=0, description="shares of fewer rows are not judged")
    max_dropped_share: float = Field(0.9, ge=0, le=1, description="rows that the recipe may remove")
    max_row_fall: float = Field(0.9, ge=0, le=1, description="fall of the rows below earlier runs")
    columns: dict[str, KeyLimits] = Field({}, description="what differs for a column, by its published name")

    def of(self, column: str) -> KeyLimits:
        """Limits of a column: its own, and else those of all."""
        own = self.columns.get(column, KeyLimits()).model_dump(exclude_unset=True)
        return self.model_copy(update=own)


class Target(Model):
    """Where the prepared table lives: one Parquet object per day under ``s3://bucket/prefix/dt=…/``."""

    bucket: str
    prefix: str
    database: str = Field(pattern=Name)
    table: str = Field(pattern=Name)
    crawler: str
    crawler_role: str = Field(description="name or ARN of the role that the Glue crawler assumes")

    @property
    def location(self) -> str:
        """Folder that the crawler reads; its last part is the table's name."""
        return f"s3://{self.bucket}/{self.prefix.strip('/')}/"

    @model_validator(mode="after")
    def _prefix_names_table(self) -> Target:
        last = self.prefix.strip("/").rsplit("/", 1)[-1]
        if last != self.table:
            raise ValueError(
                f"the last part of prefix is {last!r}, but a crawler names the table after it: "
                f"it must be {self.table!r}"
            )
        return self


class Source(Model):
    """One file of ``include/sources/``: an export or a database query, its contract, recipe and target."""

    name: str = Field(pattern=Name)
    description: str
    owner: str
    tags: tuple[str, ...] = ()
    schedule: Schedule
    export: Export | None = None
    database: Database | None = None
    contract: Contract
    quarantine: Quarantine
    identity: tuple[Identity, ...] = ()
    recipe: str = Field(description="file in include/recipes/")
    tolerant: bool = Field(
        False, description="whether the recipe may use actions whose result in DataBrew may differ from ours"
    )
    hash_encoding: Literal["base64", "hex"] = "base64"
    hygiene: Hygiene = Hygiene()
    target: Target
    notify: str | None = Field(None, description="ARN of the SNS topic that hears of new data")
    aws_conn_id: str | None = None
    allow_empty: bool = Field(False, description="whether a day without rows is normal")
    path: Path

    @model_validator(mode="after")
    def _identity_is_promised(self) -> Source:
        promised = {column.name for column in self.contract.columns}
        for identity in self.identity:
            for field in ("column", "region_column"):
                name = getattr(identity, field)
                if name is not None and name not in promised:
                    raise ValueError(
                        f"identity names the {field} {name!r}, which is not among the contract's columns: "
                        f"{', '.join(sorted(promised))}"
                    )
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if (self.export is None) == (self.database is None):
            raise ValueError("give exactly one of export and database")
        return self

    @property
    def include(self) -> Path:
        """The include folder that this source was read from."""
        return self.path.parent.parent

    @property
    def recipe_path(self) -> Path:
        return self.include / "recipes" / self.recipe

    @property
    def sql_path(self) -> Path:
        """File of the extraction query (database sources only)."""
        assert self.database is not None
        return self.include / "sql" / "extract" / self.database.sql
