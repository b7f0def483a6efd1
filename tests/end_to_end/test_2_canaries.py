"""Known people and keys are found nowhere but in the sources and the encrypted quarantine."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.conftest import Ran
from tools import postgres

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def canaries(ran: Ran) -> list[bytes]:
    """E-mails, phones and full names of people in the CRM and the exports, and the keys' own text."""
    from examples.people import people

    some = people()[::25]
    found = {person.email for person in some}
    found |= {person.phone for person in some}
    found |= {person.phone.removeprefix("+1") for person in some}
    found |= {f"{person.first_name} {person.last_name}" for person in some}
    secrets = ran.client("secretsmanager")
    for secret in secrets.list_secrets()["SecretList"]:
        text = secrets.get_secret_value(SecretId=secret["Name"])["SecretString"]
        found |= {line for line in text.splitlines() if len(line) > 20 and not line.startswith("-----")}
    return [text.encode() for text in found]


def hits(content: bytes, canaries: list[bytes]) -> int:
    lowered = content.lower()
    return sum(canary.lower() in lowered for canary in canaries)


def readable(body: bytes) -> bytes:
    """What a reader of an object sees: Parquet as its values, gzip unpacked."""
    if body[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(body))
        return repr(table.to_pydict()).encode() + repr(table.schema.metadata).encode()
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_the_canaries_are_really_in_the_sources(ran: Ran, canaries: list[bytes]) -> None:
    with psycopg.connect(ran.stack.crm_uri) as connection:
        rows = connection.execute("select string_agg(h::text, ' ') from crm_households h").fetchone()
    assert rows is not None
    assert hits(str(rows[0]).encode(), canaries) > 20


def test_no_bucket_of_ours_but_the_quarantine_holds_one(ran: Ran, canaries: list[bytes]) -> None:
    for bucket in [b["Name"] for b in ran.client("s3").list_buckets()["Buckets"]]:
        if bucket == "brand-quarantine":
            continue
        for key, body in ran.objects(bucket).items():
            assert hits(readable(body), canaries) == 0, f"s3://{bucket}/{key}"


def test_airflows_database_holds_none(ran: Ran, canaries: list[bytes]) -> None:
    with psycopg.connect(postgres.uri(ran.stack._socket, "airflow")) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f'select t::text from "{table}" t'):  # type: ignore[arg-type]
                assert hits(row.encode(), canaries) == 0, table


def test_no_log_holds_one(ran: Ran, canaries: list[bytes]) -> None:
    logs = [*files(ran.stack.home / "logs"), *files(ran.stack.logs)]
    assert len(logs) > 50
    for path in logs:
        assert hits(path.read_bytes(), canaries) == 0, path


def test_no_temporary_file_is_left(temporary_folder: Path, canaries: list[bytes]) -> None:
    for path in files(temporary_folder):
        assert hits(readable(path.read_bytes()), canaries) == 0, path


def test_the_audit_and_the_notifications_hold_none(ran: Ran, canaries: list[bytes]) -> None:
    for path in files(ran.stack.folder / "sandbox"):
        if path.suffix in (".jsonl", ".log"):
            assert hits(path.read_bytes(), canaries) == 0, path
