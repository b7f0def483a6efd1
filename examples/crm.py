"""The brand's CRM: a PostgreSQL table with one row per record and week.

The CRM recalculates loyalty segments every week and writes each record's new row on a weekday of its own,
so that seven nightly extracts by ``updated_at`` make one complete week.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from examples import dirt
from examples.people import SEED, Person, people

TABLE = "crm_households"

SCHEMA = pa.schema([
    ("crm_id", pa.int64()),
    ("first_name", pa.string()),
    ("last_name", pa.string()),
    ("email", pa.string()),
    ("phone", pa.string()),
    ("postal_code", pa.string()),
    ("age_band", pa.string()),
    ("segment", pa.string()),
    ("marketing_consent", pa.string()),
    ("updated_at", pa.timestamp("us", tz="UTC")),
])  # fmt: skip

SEGMENTS = ("bronze", "silver", "gold", "new", "platinum")
SEGMENT_WEIGHTS = (46, 30, 16, 7.5, 0.5)
CONSENTS = ("opted_in", "opted_out", "unknown")
CONSENT_WEIGHTS = (80, 12, 8)

KNOWN_SHARE = 0.65
"""Share of the retailer's households that the brand knows."""

DUPLICATE_SHARE = 0.02
"""Share of people with a second record, spelled in another way."""


@dataclass(frozen=True)
class Record:
    """What the CRM holds about a person, dirt included; only the segment changes from week to week."""

    crm_id: int
    household: int
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    postal_code: str
    age_band: str
    consent: str
    segment: str


@cache
def records() -> tuple[Record, ...]:
    """All records of the CRM by id; always the same ones."""
    rng = Random(f"{SEED}:crm")
    made: list[Record] = []
    for person in people():
        if person.household < 100_000 and rng.random() >= KNOWN_SHARE:
            continue
        made.append(_record(rng, len(made) + 1, person))
        if rng.random() < DUPLICATE_SHARE:
            made.append(_record(rng, len(made) + 1, person))
    return tuple(made)


def rows(first: date, last: date) -> pa.Table:
    """Rows that the CRM wrote from ``first`` to ``last`` (both included), by time of writing."""
    found = sorted(_written(first, last), key=lambda row: (row["updated_at"], row["crm_id"]))
    return pa.Table.from_pylist(found, schema=SCHEMA)


def load(uri: str, first: date, last: date) -> int:
    """Put the rows of a range of days into PostgreSQL, in place of what was there for those days.

    :param uri: ``postgresql://…`` of the CRM's database
    :returns: number of rows
    """
    table = rows(first, last)
    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (crm_id bigint NOT NULL, first_name text, last_name text, "
            "email text, phone text, postal_code text, age_band text, segment text, marketing_consent text, "
            "updated_at timestamptz NOT NULL, PRIMARY KEY (crm_id, updated_at))"
        )
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {TABLE}_by_update ON {TABLE} (updated_at)")
        cursor.execute(
            f"DELETE FROM {TABLE} WHERE updated_at >= $1 AND updated_at < $2",  # noqa: S608  a constant
            (_midnight(first), _midnight(last + timedelta(days=1))),
        )
        cursor.adbc_ingest(TABLE, table, mode="append")
        connection.commit()
    return table.num_rows


def drop(uri: str) -> None:
    """Remove the CRM's table."""
    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        connection.commit()


def _record(rng: Random, crm_id: int, person: Person) -> Record:
    return Record(
        crm_id=crm_id,
        household=person.household,
        first_name=dirt.name(rng, person.first_name),
        last_name=dirt.name(rng, person.last_name),
        email=_email(rng, person),
        phone=_phone(rng, person),
        postal_code=f"{int(rng.random() * 90_000) + 10_000}",
        age_band=person.age_band,
        consent=dirt.code(rng, rng.choices(CONSENTS, CONSENT_WEIGHTS)[0]),
        segment=rng.choices(SEGMENTS, SEGMENT_WEIGHTS)[0],
    )


def _email(rng: Random, person: Person) -> str | None:
    roll = rng.random()
    if roll < 0.03:
        return None
    if roll < 0.04:
        return ""
    if roll < 0.06:
        return dirt.placeholder(rng, dirt.PLACEHOLDER_EMAILS)
    return dirt.email(rng, person.email)


def _phone(rng: Random, person: Person) -> str | None:
    roll = rng.random()
    if roll < 0.08:
        return None
    if roll < 0.10:
        return dirt.placeholder(rng, dirt.PLACEHOLDER_PHONES)
    return dirt.phone(rng, person.phone)


def _written(first: date, last: date) -> Iterator[dict[str, Any]]:
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for record in records():
            if record.crm_id % 7 == day.weekday():
                yield _row(record, day)


def _row(record: Record, day: date) -> dict[str, Any]:
    rng = Random(f"{SEED}:{record.crm_id}:{day}")
    moved = rng.random() < 0.08
    segment = rng.choices(SEGMENTS, SEGMENT_WEIGHTS)[0] if moved else record.segment
    return {
        "crm_id": record.crm_id,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "email": record.email,
        "phone": record.phone,
        "postal_code": record.postal_code,
        "age_band": record.age_band,
        "segment": dirt.code(rng, segment),
        "marketing_consent": record.consent,
        "updated_at": _midnight(day) + timedelta(seconds=int(rng.random() * 86_400)),
    }


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
