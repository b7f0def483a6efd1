"""Two accounts rotate the key they share, each on its own days: what they have in common is counted the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cleanrooms.config import Collaboration
from cleanrooms.config.source import Source
from cleanrooms.errors import PreflightError
from cleanrooms.preflight import checks, gather
from cleanrooms.preflight.keys import gather_keys
from cleanrooms.sources.prepare import prepare
from cleanrooms.sources.secrets import SecretsManager
from cleanrooms.tables.catalog import create_or_update_table, upsert_partition
from cleanrooms.tasks import collaboration as tasks
from cleanrooms.windows import Week
from sandbox.testing import ACCOUNT, PARTNER, running
from tests.sandbox.cleanrooms.lab import Lab, Party, any_query
from tests.sources.kit import make_source

MONDAY = date(2017, 11, 13)
DAYS = [MONDAY + timedelta(days=n) for n in range(7)]
PEOPLE = {"brand": range(12), "retailer": range(5, 40)}
COMMON = 7
COLUMNS = ("email_key", "email_key_next", "email_key_previous", "dt")
# Overlap, switch and end, as days after Monday: the brand is a day ahead of the retailer.
PLANS = {"brand": (1, 3, 5), "retailer": (2, 4, 6)}
JOINS = [
    (0, "email_key", "email_key"),
    (1, "email_key", "email_key"),
    (2, "email_key", "email_key"),
    (2, "email_key_next", "email_key_next"),
    (3, "email_key", "email_key_next"),
    (3, "email_key_previous", "email_key"),
    (4, "email_key", "email_key"),
    (4, "email_key_previous", "email_key_previous"),
    (5, "email_key", "email_key"),
    (6, "email_key", "email_key"),
]


def dates(name: str) -> dict[str, str]:
    fields = ("overlap_from", "switch_on", "overlap_until")
    return {f: str(DAYS[n]) for f, n in zip(fields, PLANS[name], strict=True)}


def source_of(party: Party, name: str, folder: Path) -> Source:
    """A party's file of people: plain CSV, hashed with the key of its own Secrets Manager."""
    table = f"{name}_people"
    return make_source(
        folder / name,
        export={"bucket": party.data, "pattern": "*.csv", "compression": "none", "encryption": None},
        quarantine={"bucket": party.results, "kms_key": "alias/none", "max_ratio": 0},
        rotation=[
            {
                "secret": "hmac",
                "epochs": [{"name": "2026"}, {"name": "2027", "secret": "hmac-2027", **dates(name)}],
            }
        ],
        target={
            "bucket": party.data, "prefix": table, "database": party.database, "table": table,
            "crawler": table, "crawler_role": "crawler",
        },
    )  # fmt: skip


def publish(party: Party, name: str, folder: Path) -> Source:
    """Every day of the week, prepared in the party's own account and shown by its catalog."""
    source, secrets = source_of(party, name, folder), party.client("secretsmanager")
    # Both partners store the same two keys, each in its own account, where versions have ids of their own.
    for secret, key in (
        ("hmac", "shared-2026-0123456789abcdef0123"),
        ("hmac-2027", "shared-2027-fedcba9876543210fedc"),
    ):
        secrets.create_secret(Name=secret, SecretString=key)
    place = f"s3://{party.data}/{name}_people/"
    create_or_update_table(
        party.glue,
        party.database,
        f"{name}_people",
        dict.fromkeys(COLUMNS[:-1], "string"),
        {"dt": "string"},
        place,
    )
    for day in DAYS:
        rows = [f"{n},Person.{n}@Example.com,,," for n in PEOPLE[name]]
        text = "\n".join(["id,email,phone,amount,seen_at", *rows, ""])
        party.s3.put_object(Bucket=party.data, Key=f"tool/{day}/people.csv", Body=text.encode())
        prepare(source, day, s3=party.s3, secrets=SecretsManager(secrets))
        columns = dict.fromkeys(COLUMNS[:-1], "string")
        upsert_partition(party.glue, party.database, f"{name}_people", {"dt": str(day)}, columns, place)
    return source


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, dict[str, Source], Path]]:
    """Both accounts after their rotations, and the collaboration in which they meet."""
    folder = tmp_path_factory.mktemp("include")
    with running() as aws:
        lab = Lab(aws)
        sources = {
            name: publish(party, name, folder)
            for name, party in (("brand", lab.brand), ("retailer", lab.retailer))
        }
        lab.brand.share(lab.membership, "brand_people", COLUMNS, "CUSTOM", any_query())
        lab.retailer.share(lab.retailer_membership, "retailer_people", COLUMNS, "CUSTOM", any_query())
        yield lab, sources, folder


@pytest.mark.parametrize(("after", "ours", "theirs"), JOINS)
def test_the_overlap_is_the_same_on_every_day_of_the_rotation(
    rotated: tuple[Lab, dict[str, Source], Path], after: int, ours: str, theirs: str
) -> None:
    lab, day = rotated[0], DAYS[after]
    sql = (
        f"SELECT COUNT(DISTINCT b.{ours}) AS people FROM brand_people b "
        f"INNER JOIN retailer_people r ON b.{ours} = r.{theirs} WHERE b.dt = '{day}' AND r.dt = '{day}'"
    )
    assert lab.run(sql).to_pylist() == [{"people": COMMON}]


def test_keys_of_two_epochs_have_nothing_in_common(rotated: tuple[Lab, dict[str, Source], Path]) -> None:
    day = DAYS[3]
    sql = (
        "SELECT COUNT(DISTINCT b.email_key) AS people FROM brand_people b "
        f"INNER JOIN retailer_people r ON b.email_key = r.email_key WHERE b.dt = '{day}' AND r.dt = '{day}'"
    )
    assert rotated[0].run(sql).to_pylist() == [{"people": 0}]


def collaboration_of(lab: Lab, folder: Path, sql: str) -> Collaboration:
    """The brand's file of the collaboration, with one query."""
    (folder / "brand" / "sql").mkdir(exist_ok=True)
    (folder / "brand" / "sql" / "overlap.sql").write_text(sql)
    rule = {"type": "CUSTOM", "policy": {"v1": {"custom": any_query()}}}
    place = {"bucket": lab.brand.results}
    described: dict[str, Any] = {
        "name": "two",
        "description": "two partners",
        "owner": "brand",
        "collaboration": "cr-test",
        "schedule": {"cron": "0 6 * * 1", "start": MONDAY},
        "members": [
            {"name": "brand", "account": ACCOUNT, "us": True},
            {"name": "retailer", "account": PARTNER},
        ],
        "tables": [
            {
                "name": "brand_people", "owner": "brand", "configured_table": "ct-brand_people",
                "database": lab.brand.database, "table": "brand_people", "source": "exposures",
                "allowed_columns": COLUMNS, "rule": rule, "role": lab.brand.role,
            },
            {
                "name": "retailer_people", "owner": "retailer", "configured_table": "ct-retailer_people",
                "allowed_columns": COLUMNS, "rule": rule,
                "rotation": {
                    "columns": ["email_key"],
                    "epochs": [{"name": "2026"}, {"name": "2027", **dates("retailer")}],
                },
            },
        ],
        "queries": [
            {
                "name": "overlap", "title": "t", "question": "q", "sql": "overlap.sql",
                "columns": [{"name": "people", "type": "bigint"}], "group_size": "people", "minimum_group": 2,
            }
        ],
        "results": place, "bi": {**place, "database": "bi"}, "report": place,
        "path": folder / "brand" / "collaborations" / "two.yaml",
    }  # fmt: skip
    return Collaboration.model_validate(described)


def refused(rotated: tuple[Lab, dict[str, Source], Path], ours: str, theirs: str) -> list[str]:
    """What the preflight of the brand says, from the footers and answers of the real calls."""
    lab, sources, folder = rotated
    sql = (
        f"SELECT COUNT(*) AS people FROM brand_people b INNER JOIN retailer_people r ON b.{ours} = r.{theirs}"
    )
    collaboration, week = collaboration_of(lab, folder, sql), Week(MONDAY)
    facts = gather(collaboration, lab.brand.clean_rooms, lab.brand.glue)
    facts = replace(facts, keys=gather_keys(collaboration, week, lab.brand.s3, lambda name: sources["brand"]))
    return checks.problems(collaboration, facts, week)


def test_the_preflight_refuses_a_week_across_the_switch_and_names_the_days(
    rotated: tuple[Lab, dict[str, Source], Path],
) -> None:
    ours, theirs = refused(rotated, "email_key", "email_key")
    assert "brand_people.email_key" in ours
    assert "2026 on dt = 2017-11-13 to 2017-11-15, 2027 on dt = 2017-11-16 to 2017-11-19" in ours
    assert "retailer_people.email_key" in theirs
    assert "2026 on dt = 2017-11-13 to 2017-11-16, 2027 on dt = 2017-11-17 to 2017-11-19" in theirs


def test_the_preflight_refuses_a_column_that_days_lack(rotated: tuple[Lab, dict[str, Source], Path]) -> None:
    ours, theirs = refused(rotated, "email_key_next", "email_key_next")
    assert (
        "brand_people.email_key_next, which the partitions dt = 2017-11-13, 2017-11-16 to 2017-11-19" in ours
    )
    assert "retailer_people.email_key_next, which the partitions dt = 2017-11-13 to 2017-11-14, " in theirs


def test_the_task_stops_before_any_query_and_says_what_to_do(
    rotated: tuple[Lab, dict[str, Source], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, sources, folder = rotated
    sql = "SELECT COUNT(*) AS people FROM brand_people b INNER JOIN retailer_people r ON b.email_key = r.email_key"
    collaboration = collaboration_of(lab, folder, sql)
    monkeypatch.setattr(tasks, "client", lambda service, conn=None: lab.brand.client(service))
    monkeypatch.setattr(tasks, "read_source", lambda name: sources["brand"])
    monkeypatch.setattr(tasks, "_collaboration_and_week", lambda name: (collaboration, Week(MONDAY)))
    with pytest.raises(PreflightError) as raised:
        tasks.preflight.function("two")
    assert "brand_people.email_key, whose keys are of several epochs in this week" in str(raised.value)
    assert "no query was started" in str(raised.value)
