"""Model of ``include/sources/*.yaml``: where the data of one table comes from, and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from cleanrooms.config.base import Model
from cleanrooms.config.contract import Contract
from cleanrooms.config.engines import DataBrewEngine, GlueEngine
from cleanrooms.config.export import Export
from cleanrooms.config.rotation import NEXT, PREVIOUS, Rotation
from cleanrooms.databrew import checks

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


class Database(Model):
    """Rows that a query reads from a relational database.

    ``sql`` names a file in ``include/sql/extract/`` with the parameters ``:day_start`` and ``:day_end``
    (timestamps, start included, end excluded, in the schedule's time zone).
    """

    connection: str = Field(description="Airflow connection id")
    sql: str
    batch_rows: int = Field(65_536, gt=0)


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
    max_null_rise: float = Field(0.3, ge=0, le=1, description="rise of the share of nulls above earlier days")


class Hygiene(KeyLimits):
    """Thresholds of the gate between hashing and publication, for all key columns and for each."""

    min_rows: int = Field(100, ge=0, description="shares of fewer rows are not judged")
    max_dropped_share: float = Field(0.9, ge=0, le=1, description="rows that the recipe may remove")
    max_row_fall: float = Field(0.9, ge=0, le=1, description="fall of the rows below earlier days")
    compare_days: int = Field(7, ge=0, le=60, description="published days before a day that it is judged by")
    columns: dict[str, KeyLimits] = Field({}, description="what differs for a column, by its published name")

    def of(self, column: str) -> KeyLimits:
        """Limits of a column: its own, those of the column beside which it stands in a rotation, else those of all."""
        base = column.removesuffix(f"_{NEXT}").removesuffix(f"_{PREVIOUS}")
        own = self.columns.get(column, self.columns.get(base, KeyLimits())).model_dump(exclude_unset=True)
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
    engine: Literal["worker", "glue", "databrew"] = Field(
        "worker", description="where a day is prepared: Airflow's worker, Spark on AWS Glue, or DataBrew"
    )
    glue: GlueEngine | None = Field(None, description="the job; for engine: glue only")
    databrew: DataBrewEngine | None = Field(None, description="the job; for engine: databrew only")
    tolerant: bool = Field(
        False, description="whether the recipe may use actions whose result in DataBrew may differ from ours"
    )
    hash_encoding: Literal["base64", "hex", "binary"] = Field(
        "base64",
        description="how digests are written: text, or their bytes, which are smaller and cheaper to write",
    )
    rotation: tuple[Rotation, ...] = Field((), description="epochs of hashing keys that change")
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

    @field_validator("rotation")
    @classmethod
    def _one_plan_for_each_key(cls, value: tuple[Rotation, ...]) -> tuple[Rotation, ...]:
        names = [rotation.secret for rotation in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rotations of the secret {', '.join(twice)}; put all its epochs into one")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if (self.export is None) == (self.database is None):
            raise ValueError("give exactly one of export and database")
        return self

    @model_validator(mode="after")
    def _engine_can(self) -> Source:
        if reason := _refused(self):
            raise ValueError(f"engine is {self.engine}, {reason}")
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


def _refused(source: Source) -> str | None:
    """Why the source's engine cannot prepare it, and what to do; None when it can."""
    for other in ("glue", "databrew"):
        if source.engine != other and getattr(source, other) is not None:
            return f"which has no use for the section {other}; remove it, or set engine: {other}"
    if source.engine == "databrew":
        return checks.refused(source)
    if source.engine != "glue":
        return None
    if source.glue is None:
        return "which needs the section glue with the role and bucket of its job"
    if source.database is not None:
        return (
            "but the rows come from a database, whose login is Airflow's and is not given to a Glue job; use "
            "worker, or have the rows exported to S3"
        )
    return None
