"""Differential privacy as a rehearsal: budget, readiness, and noise that is not the service's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from botocore.exceptions import ClientError

from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.noise import blurred
from tests.sandbox.cleanrooms.lab import PARTNER, Lab, any_query

PEOPLE = 400
USERS = "SELECT COUNT(DISTINCT v.person) AS n FROM visits v"
MONTH = 32 * 24 * 3600


@pytest.fixture
def visits(lab: Lab) -> Iterator[Lab]:
    """The retailer's visits of 400 people, private by person."""
    people = [f"p{number}" for number in range(PEOPLE)]
    types = {"person": "string", "spent": "int", "price": "decimal(10,2)", "city": "string"}
    columns = {
        "person": people,
        "spent": [7] * PEOPLE,
        "price": [Decimal("2.50")] * PEOPLE,
        "city": ["Rome", "Oslo"] * (PEOPLE // 2),
    }
    lab.retailer.parquet_table("visits", types, pa.table(columns))
    policy = any_query(differentialPrivacy={"columns": [{"name": "person"}]})
    lab.retailer.share(lab.retailer_membership, "visits", list(types), "CUSTOM", policy)
    yield lab
    lab.aws.clock(0)


def give(lab: Lab, epsilon: int = 3, noise: int = 30, refresh: str = "CALENDAR_MONTH") -> dict[str, Any]:
    found: dict[str, Any] = lab.retailer.clean_rooms.create_privacy_budget_template(
        membershipIdentifier=lab.retailer_membership,
        privacyBudgetType="DIFFERENTIAL_PRIVACY",
        autoRefresh=refresh,
        parameters={"differentialPrivacy": {"epsilon": epsilon, "usersNoisePerQuery": noise}},
    )["privacyBudgetTemplate"]
    return found


def remaining(lab: Lab) -> dict[str, int]:
    (one,) = lab.retailer.clean_rooms.list_privacy_budgets(
        membershipIdentifier=lab.retailer_membership, privacyBudgetType="DIFFERENTIAL_PRIVACY"
    )["privacyBudgetSummaries"]
    aggregations = one["budget"]["differentialPrivacy"]["aggregations"]
    return {entry["type"]: entry["remainingCount"] for entry in aggregations}


def reasons(lab: Lab) -> set[str]:
    schema = lab.brand.clean_rooms.get_schema(collaborationIdentifier=lab.collaboration, name="visits")
    details = schema["schema"]["schemaStatusDetails"]
    direct = next(one for one in details if one["analysisType"] == "DIRECT_ANALYSIS")
    return {one["code"] for one in direct.get("reasons", [])}


def test_without_a_budget_the_table_is_not_ready_and_cannot_be_queried(visits: Lab) -> None:
    assert reasons(visits) == {"DIFFERENTIAL_PRIVACY_POLICY_NOT_CONFIGURED"}
    with pytest.raises(ClientError, match="DIFFERENTIAL_PRIVACY_POLICY_NOT_CONFIGURED"):
        visits.start(USERS)
    give(visits)
    assert reasons(visits) == set()


def test_a_count_of_users_is_off_by_about_the_noise_and_says_its_sensitivity(visits: Lab) -> None:
    give(visits, noise=10)
    shown = visits.wait(visits.start(USERS))
    (count,) = visits.result(shown).to_pydict()["n"]
    assert abs(count - PEOPLE) < 60  # beyond 18 scales: once in 65 million
    (sensitivity,) = shown["differentialPrivacy"]["sensitivityParameters"]
    assert sensitivity["aggregationType"] == "COUNT_DISTINCT"


def test_every_aggregation_of_every_group_is_blurred_in_its_own_type(visits: Lab) -> None:
    give(visits, epsilon=20, noise=10)
    result = visits.run(
        "WITH u AS (SELECT v.person, v.city, v.spent, v.price FROM visits v) "
        "SELECT u.city, COUNT(u.person) AS n, SUM(u.spent) AS total, SUM(u.price) AS paid, "
        "AVG(u.price) AS mean, STDDEV(u.spent) AS spread FROM u GROUP BY u.city ORDER BY u.city"
    )
    kinds = {field.name: str(field.type) for field in result.schema}
    assert (kinds["n"], kinds["total"], kinds["paid"]) == ("int64", "int64", "decimal128(20, 2)")
    assert result.column("city").to_pylist() == ["Oslo", "Rome"]
    for row in result.to_pylist():
        assert abs(row["n"] - 200) < 60
        assert abs(row["total"] - 1400) < 60 * 7
        assert abs(row["paid"] - 500) < 60 * Decimal("2.5")
        assert abs(float(row["mean"]) - 2.5) < 60 * 2.5 / 200 + 0.01
        assert 0 <= row["spread"] < 60 * 7 / 200


def test_queries_run_the_budget_down_until_it_is_spent_and_the_next_month_fills_it(visits: Lab) -> None:
    give(visits, epsilon=1, noise=10)
    full = remaining(visits)
    assert full == {"COUNT_DISTINCT": 3, "COUNT": 1, "SUM": 1, "AVG": 0, "STDDEV": 0}

    for _ in range(3):
        visits.wait(visits.start(USERS))

    assert remaining(visits)["COUNT_DISTINCT"] == 0
    with pytest.raises(ClientError, match="You do not have enough aggregations remaining") as refused:
        visits.start(USERS)
    assert PARTNER in refused.value.response["message"]
    visits.aws.clock(MONTH)
    assert remaining(visits) == full


def test_a_query_that_costs_more_than_is_left_is_refused_and_costs_nothing(visits: Lab) -> None:
    give(visits, epsilon=1, noise=10)
    with pytest.raises(ClientError, match="enough aggregations"):
        visits.start("SELECT AVG(v.spent) AS a FROM visits v")
    assert remaining(visits)["COUNT_DISTINCT"] == 3


def test_epsilon_is_not_lowered_after_querying_has_begun(visits: Lab) -> None:
    made = give(visits, epsilon=3)

    def change(epsilon: int) -> None:
        visits.retailer.clean_rooms.update_privacy_budget_template(
            membershipIdentifier=visits.retailer_membership,
            privacyBudgetTemplateIdentifier=made["id"],
            privacyBudgetType="DIFFERENTIAL_PRIVACY",
            parameters={"differentialPrivacy": {"epsilon": epsilon}},
        )

    change(2)
    visits.wait(visits.start(USERS))
    with pytest.raises(ClientError, match="lowered"):
        change(1)
    change(5)


def test_a_collaboration_has_one_such_budget(visits: Lab) -> None:
    give(visits)
    with pytest.raises(ClientError) as refused:
        give(visits)
    assert refused.value.response["reason"] == "ALREADY_EXISTS"


def test_a_preview_uses_nothing_up(visits: Lab) -> None:
    given = {"differentialPrivacy": {"epsilon": 1, "usersNoisePerQuery": 10}}
    impact = visits.retailer.clean_rooms.preview_privacy_impact(
        membershipIdentifier=visits.retailer_membership, parameters=given
    )["privacyImpact"]["differentialPrivacy"]["aggregations"]
    assert {one["type"]: one["maxCount"] for one in impact}["COUNT_DISTINCT"] == 3


@pytest.fixture
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for macro in definitions():
        connection.execute(macro)
    return connection


def test_the_noise_is_a_discrete_laplace(engine: duckdb.DuckDBPyConnection) -> None:
    scale = 10.0
    (numbers,) = zip(
        *engine.execute(f"SELECT rehearsal_noise({scale}, 'seed' || i) FROM range(20000) t(i)").fetchall(),
        strict=True,
    )
    assert abs(sum(numbers) / len(numbers)) < 0.5
    # The mean of |x| is the scale for a Laplace distribution, and P(|x| > 3 scales) is e^-3.
    assert sum(map(abs, numbers)) / len(numbers) == pytest.approx(scale, rel=0.05)
    far = sum(abs(number) > 3 * scale for number in numbers) / len(numbers)
    assert far == pytest.approx(math.exp(-3), abs=0.01)


@pytest.mark.parametrize(
    "sql", ["SELECT g FROM t", "SELECT n FROM (SELECT COUNT(*) AS n FROM t) s", "SELECT 1 UNION SELECT 2"]
)
def test_what_cannot_be_blurred_does_not_come_out(sql: str) -> None:
    (query,) = sqlglot.parse(sql, read="duckdb")
    with pytest.raises(QueryFailed, match="has to aggregate"):
        blurred(query, 20.0, "a")


def test_one_seed_gives_one_result_and_groups_differ(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute("CREATE TABLE t AS SELECT i % 4 AS g, i AS x FROM range(4000) r(i)")
    (query,) = sqlglot.parse(
        "SELECT g, COUNT(*), SUM(x), AVG(x), STDDEV(x) FROM t GROUP BY g HAVING COUNT(*) > 1 ORDER BY 1",
        read="duckdb",
    )

    def result(seed: str) -> list[tuple[Any, ...]]:
        return engine.execute(blurred(query, 20.0, seed).sql("duckdb")).fetchall()

    first = result("a")
    assert first == result("a")
    assert first != result("b")
    assert len({row[1] for row in first}) > 1
    assert all(isinstance(row[1], int) and abs(row[1] - 1000) < 500 for row in first)
