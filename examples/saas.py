"""The brand's marketing tool: every night it exports the day's campaign exposures to the brand's bucket.

An export is one to three gzip CSV files, each encrypted to the brand's OpenPGP key, and a manifest that is
written last. Who is in which campaign, and when a campaign runs, is real; who saw it on which day is seeded.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa
import pysequoia

from examples import crm, dirt, journey
from examples.people import SEED, by_household

SCHEMA = pa.schema([
    (name, pa.string())
    for name in ("exposure_id", "email", "ip_address", "campaign_id", "channel", "impressions", "exposed_on")
])  # fmt: skip
"""A CSV export knows only texts."""

CHANNELS = {"email": 0.18, "display": 0.26, "social": 0.14}
"""Chance that a household in a campaign sees it on a day, by channel."""

LEADS_SHARE = 0.10
"""Share of campaign members whom the tool knows although the CRM does not."""

BAD_SHARE = 0.004
"""Share of rows whose number of impressions is not a number (rounded down for each day)."""


def rows(day: date) -> pa.Table:
    """Exposures of one day as the export spells them; columns of :data:`SCHEMA`."""
    rng = Random(f"{SEED}:saas:{day}")
    found = list(_exposures(rng, day))
    for _ in range(int(len(found) * BAD_SHARE)):
        found[int(rng.random() * len(found))]["impressions"] = "not counted"
    return pa.Table.from_pylist(found, schema=SCHEMA)


def files(day: date) -> list[tuple[str, bytes]]:
    """The day's files before encryption: name and gzip CSV, byte-equal every time."""
    table = rows(day)
    parts = 1 + day.toordinal() % 3
    size = -(-table.num_rows // parts)
    return [
        (f"exposures-{day}-{part + 1:03d}.csv.gz", _csv(table.slice(part * size, size)))
        for part in range(parts)
    ]


def export(day: date, public_key: str) -> dict[str, bytes]:
    """The day's export: encrypted files, and last the manifest that lists their names and sizes in bytes.

    :param public_key: the brand's armored OpenPGP certificate
    """
    recipient = pysequoia.Cert.from_bytes(public_key.encode())
    sealed = {
        f"{name}.pgp": bytes(pysequoia.encrypt(content, recipients=[recipient], armor=False))
        for name, content in files(day)
    }
    manifest = {"files": [{"name": name, "size": len(content)} for name, content in sealed.items()]}
    return {**sealed, "manifest.json": json.dumps(manifest, indent=1).encode()}


def deliver(s3: Any, bucket: str, day: date, public_key: str) -> int:
    """Put the day's export under ``campaign_exposures/dt=…/``, unless it is there or already archived.

    :param s3: S3 client
    :returns: number of objects written
    """
    prefix = f"campaign_exposures/dt={day}/"
    if _exists(s3, bucket, prefix) or _exists(s3, bucket, f"archive/{prefix}"):
        return 0
    objects = export(day, public_key)
    for name, content in objects.items():
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=content)
    return len(objects)


def _exists(s3: Any, bucket: str, prefix: str) -> bool:
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"))


def _csv(table: pa.Table) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, table.column_names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.to_pylist())
    return gzip.compress(text.getvalue().encode(), mtime=0)


def _exposures(rng: Random, day: date) -> Iterator[dict[str, str | None]]:
    number = 0
    for campaign, household in _active(day):
        address = _addresses().get(household)
        if address is None:
            continue
        for channel, chance in CHANNELS.items():
            if rng.random() >= chance:
                continue
            number += 1
            yield {
                "exposure_id": f"{day:%Y%m%d}{number:06d}",
                "email": address or None,
                "ip_address": f"203.0.113.{int(rng.random() * 254) + 1}",
                "campaign_id": str(campaign),
                "channel": dirt.code(rng, channel),
                "impressions": str(1 + int(rng.expovariate(0.6))),
                "exposed_on": day.isoformat(),
            }


def _active(day: date) -> list[tuple[int, int]]:
    """Campaign and household of everybody in a campaign that runs on the day."""
    return [(campaign, household) for start, end, campaign, household in _members() if start <= day <= end]


@cache
def _members() -> tuple[tuple[date, date, int, int], ...]:
    found = journey.connect().execute(
        "SELECT start_date::DATE, end_date::DATE, campaign_id, household_id "
        "FROM campaigns JOIN campaign_descriptions USING (campaign_id) ORDER BY ALL"
    )
    return tuple(found.fetchall())


@cache
def _addresses() -> dict[int, str]:
    """E-mail of each household as the tool spells it; empty where it only has a placeholder for nobody."""
    rng = Random(f"{SEED}:saas")
    known = {record.household for record in crm.records()}
    found = {}
    for household, person in by_household().items():
        if household in known or rng.random() < LEADS_SHARE:
            missing = rng.random() < 0.02
            found[household] = (
                dirt.placeholder(rng, (*dirt.PLACEHOLDER_EMAILS, ""))
                if missing
                else dirt.email(rng, person.email)
            )
    return found
