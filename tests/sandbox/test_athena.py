"""Athena over the sandbox's catalog and objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.athena import UnreadableStatement, to_duckdb
from sandbox.testing import Sandbox
from tests.sandbox.parquet import parquet

Run = Callable[[str], list[list[str | None]]]


class QueryFailed(Exception):
    pass


@pytest.fixture(scope="module")
def catalog(server: Sandbox) -> Sandbox:
    """``sales.orders``, partitioned by ``dt``, as a crawler wrote it."""
    s3, glue = server.client("s3"), server.client("glue")
    for bucket in ("athena-lake", "athena-out"):
        s3.create_bucket(Bucket=bucket)
    for day, amounts in (("2026-01-01", [1, 2]), ("2026-01-02", [3])):
        key = f"orders/dt={day}/a.parquet"
        s3.put_object(Bucket="athena-lake", Key=key, Body=parquet(amount=amounts, city=["x"] * len(amounts)))
    role = server.role(
        "athena-crawler",
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        trust={"Service": "glue.amazonaws.com"},
    )
    glue.create_crawler(
        Name="orders",
        Role=role,
        DatabaseName="sales",
        Targets={"S3Targets": [{"Path": "s3://athena-lake/orders/"}]},
    )
    glue.start_crawler(Name="orders")
    server.crawled("orders")
    return server


@pytest.fixture
def run(catalog: Sandbox) -> Run:
    athena = catalog.client("athena")

    def ask(statement: str) -> list[list[str | None]]:
        started = athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": "sales"},
            ResultConfiguration={"OutputLocation": "s3://athena-out/"},
        )["QueryExecutionId"]
        while (status := _status(athena, started))["State"] in ("QUEUED", "RUNNING"):
            time.sleep(0.02)
        if status["State"] != "SUCCEEDED":
            raise QueryFailed(status["StateChangeReason"])
        rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows]

    return ask


def _status(athena: Any, identifier: str) -> dict[str, Any]:
    status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"][
        "Status"
    ]
    return status


def test_the_partition_column_can_be_read_and_filtered(run: Run) -> None:
    assert run("SELECT dt, sum(amount) AS total FROM orders GROUP BY dt ORDER BY dt") == [
        ["dt", "total"],
        ["2026-01-01", "3"],
        ["2026-01-02", "3"],
    ]
    assert run("SELECT count(*) AS n FROM orders WHERE dt > '2026-01-01'") == [["n"], ["1"]]


def test_athenas_dialect_runs(run: Run) -> None:
    statement = (
        "SELECT cast(amount AS varchar), date_format(date_parse(dt, '%Y-%m-%d'), '%d') AS day, "
        "element_at(split(dt, '-'), 1) AS year "
        'FROM "sales"."orders" o CROSS JOIN UNNEST(ARRAY[1]) AS t(x) WHERE dt = \'2026-01-02\''
    )
    assert run(statement) == [["_col0", "day", "year"], ["3", "02", "2026"]]


def test_a_result_is_an_object_in_s3(run: Run, catalog: Sandbox) -> None:
    run("SELECT 1 AS one")
    listed = catalog.client("s3").list_objects_v2(Bucket="athena-out")["Contents"]
    assert any(item["Key"].endswith(".csv") for item in listed)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT nothing FROM orders", "nothing"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("SELEC 1", "line 1:"),
    ],
)
def test_a_wrong_statement_fails_with_a_reason(run: Run, statement: str, reason: str) -> None:
    with pytest.raises(QueryFailed, match=reason):
        run(statement)


def test_a_reason_does_not_quote_the_statement(run: Run) -> None:
    with pytest.raises(QueryFailed) as found:
        run("SELECT nothing FROM orders WHERE city = 'alice@example.com'")
    assert "alice" not in str(found.value)


def test_a_statement_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(UnreadableStatement) as found:
        to_duckdb("SELECT 'alice@example.com' FROM WHERE (")
    assert "alice" not in str(found.value)
