"""A day's rows from a database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi

from cleanrooms.config.contract import Contract
from cleanrooms.config.source import Database
from cleanrooms.errors import ConfigError, ContractError, SourceError, TransientError
from cleanrooms.sources.contract import check_rows
from cleanrooms.sources.database import read_database, window
from tests.sources.kit import DAY, LAKE, Shop, make_source
from tools.postgres import embedded

SQL = "SELECT id, email, amount, seen_at FROM people WHERE seen_at >= :day_start AND seen_at < :day_end ORDER BY id;"
CONTRACT = Contract.model_validate(
    {
        "columns": [
            {"name": "id", "type": "bigint", "required": True},
            {"name": "email"},
            {"name": "amount", "type": "decimal", "precision": 20, "scale": 4},
            {"name": "seen_at", "type": "timestamp"},
        ]
    }
)
ROWS = [
    (1, "a@b.co", "1.2345", "2017-11-12 23:59:59.999999"),
    (2, "c@d.co", "1234567890123456.7891", "2017-11-13 00:00:00.000000"),
    (3, None, None, "2017-11-13 23:59:59.999999"),
    (4, "e@f.co", "4", "2017-11-14 00:00:00.000000"),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    # Its own short-named folder: the socket lies in it, and the server's user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = embedded().PostgresServer(folder, cleanup_mode="delete")
    uri = server.get_uri()
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE people (id bigint, email text, amount numeric, seen_at timestamptz)")
        for row in ROWS:
            values = ", ".join("NULL" if v is None else f"'{v}'" for v in row)
            cursor.execute(f"INSERT INTO people VALUES ({values.replace(row[3], row[3] + '+00')})")
        connection.commit()
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    uri = f"sqlite:///{tmp_path / 'crm.db'}"
    engine = sa.create_engine(uri)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id int, email text, amount text, seen_at text)")
        for row in ROWS:
            connection.exec_driver_sql("INSERT INTO people VALUES (?, ?, ?, ?)", row)
    engine.dispose()
    return uri


@pytest.fixture(params=["postgres", "sqlite"])
def uri(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


def extract(
    uri: str, sql: str = SQL, day: date = DAY, timezone: str = "UTC", contract: Contract = CONTRACT
) -> list[Any]:
    database = Database(connection="crm", sql="people.sql", batch_rows=1)
    parts = list(read_database(database, sql, contract, day, timezone, uri))
    checked = [check_rows(part, contract) for part in parts]
    assert not any(part.bad for part in checked)
    rows: list[Any] = pa.Table.from_batches([part.good for part in checked]).to_pylist()
    return rows


def test_rows_of_the_day_come_with_start_and_without_end_and_exact_numbers(uri: str) -> None:
    assert extract(uri) == [
        {
            "id": 2,
            "email": "c@d.co",
            "amount": Decimal("1234567890123456.7891"),
            "seen_at": datetime(2017, 11, 13),
        },
        {"id": 3, "email": None, "amount": None, "seen_at": datetime(2017, 11, 13, 23, 59, 59, 999999)},
    ]


def test_a_day_is_meant_in_the_schedules_time_zone(postgres: str) -> None:
    assert [row["id"] for row in extract(postgres, timezone="America/New_York")] == [3, 4]
    assert [row["id"] for row in extract(postgres, timezone="Asia/Tokyo")] == [1, 2]


def test_a_day_on_which_clocks_change_has_25_hours() -> None:
    start, end = window(date(2017, 11, 5), "America/New_York")
    assert (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() == 25 * 3600


def test_a_day_without_rows_still_has_its_columns_checked(uri: str) -> None:
    assert extract(uri, day=date(2020, 1, 1)) == []
    with pytest.raises(
        ContractError, match=r"Query people\.sql .*missing columns: amount, seen_at; extra columns: x"
    ):
        extract(uri, sql="SELECT id, email, 1 AS x FROM people", day=date(2020, 1, 1))


def test_percent_signs_casts_and_colons_in_the_query_are_left_alone(postgres: str) -> None:
    sql = r"""SELECT id, email, amount, seen_at FROM people
              WHERE email LIKE '%@%' AND seen_at >= CAST(:day_start AS date)
              AND id::text <> '' AND '12:30' <> 'a\:b' ORDER BY id"""
    assert [row["id"] for row in extract(postgres, sql=sql)] == [2, 4]


def test_values_travel_as_parameters(postgres: str) -> None:
    sql = SQL.replace("email,", "current_query() AS email,", 1)
    (first, _) = extract(postgres, sql=sql)
    assert "current_setting('cleanrooms.day_start')" in first["email"]
    assert "2017" not in first["email"]


def test_the_query_cannot_write(postgres: str) -> None:
    sql = "WITH gone AS (DELETE FROM people RETURNING *) SELECT id, email, amount, seen_at FROM gone"
    with pytest.raises(SourceError, match=r"Query people\.sql failed on connection 'crm': .*SQLSTATE 25006"):
        extract(postgres, sql=sql)
    assert len(extract(postgres)) == 2


def test_unknown_parameters_are_named(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"people\.sql: parameters that are not known: since"):
        extract(uri, sql="SELECT :since")


def test_a_parameter_that_would_not_be_bound_is_named(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"people\.sql: parameter :day_start is followed by a cast with ::"):
        extract(uri, sql="SELECT id FROM people WHERE seen_at >= :day_start::date")


def test_refused_queries_are_told_without_sql_or_values(postgres: str) -> None:
    with pytest.raises(SourceError, match=r"SQLSTATE 42883") as raised:
        extract(postgres, sql="SELECT secret('a@b.co') AS id, email, amount, seen_at FROM people")
    assert "@" not in str(raised.value)
    assert raised.value.__context__ is None


def test_errors_among_the_rows_are_told_without_values(postgres: str) -> None:
    with pytest.raises(TransientError, match="an error while rows were read") as raised:
        extract(postgres, sql="SELECT email::int AS id, email, amount, seen_at FROM people")
    assert "@" not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_database_that_cannot_be_reached_is_tried_again() -> None:
    with pytest.raises(TransientError, match=r"Query people\.sql failed on connection 'crm'") as raised:
        extract("postgres://user:hunter2@127.0.0.1:1/crm?connect_timeout=2")
    assert "hunter2" not in str(raised.value)


def test_a_uri_that_makes_no_sense_is_not_quoted() -> None:
    with pytest.raises(ConfigError, match="URI of connection 'crm' cannot be understood") as raised:
        extract("hunter2")
    assert "hunter2" not in str(raised.value)


def test_a_database_day_becomes_a_partition(shop: Shop, postgres: str, tmp_path: Path) -> None:
    sql = "SELECT id, email, NULL::text AS phone, 1.5::numeric AS amount, seen_at FROM people ORDER BY id"
    source = make_source(tmp_path / "include", database={"connection": "crm", "sql": "people.sql"})
    source.sql_path.parent.mkdir(parents=True)
    source.sql_path.write_text(sql)
    first = shop.prepare(source, database_uri=postgres)
    before = shop.get(LAKE, first.key)
    assert (first.rows_in, first.rows_out, first.files) == (4, 4, ())
    assert shop.published()["amount"].to_pylist() == [Decimal("1.50")] * 4
    shop.prepare(source, database_uri=postgres)
    assert shop.get(LAKE, first.key) == before


def test_a_database_source_without_a_connection_is_refused(shop: Shop, tmp_path: Path) -> None:
    source = make_source(tmp_path / "include", database={"connection": "crm", "sql": "people.sql"})
    with pytest.raises(ConfigError, match="Source exposures reads a database, but no connection was given"):
        shop.prepare(source)
