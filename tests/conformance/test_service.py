"""The service and the verdict end to end: the same tests on the local AWS and in two real accounts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cleanrooms.preflight.checks import rules_table
from cleanrooms.rules import Table, check
from tests.conformance.asking import ACCEPTED, REFUSED, judged, table, template
from tests.conformance.room import Room

# What documents state plainly; the open questions are in questions.py. Accepted queries are cancelled at once.
QUERIES = {
    "SELECT s.segment, SUM(r.units) FROM sales s JOIN returns r ON s.person = r.person GROUP BY s.segment": ACCEPTED,
    "SELECT state, SUM(units) FROM returns GROUP BY state": REFUSED,
    "SELECT r.state, SUM(r.units) FROM sales s LEFT JOIN returns r ON s.person = r.person GROUP BY r.state": REFUSED,
    "SELECT MAX(amount) FROM sales": REFUSED,
    "SELECT * FROM sales": REFUSED,
    "SELECT SUM(amount) FROM sales WHERE person = 'p1'": REFUSED,
    "SELECT segment, SUM(amount) FROM sales GROUP BY segment LIMIT 1": REFUSED,
    "SELECT DISTINCT t.tier FROM my_segments m JOIN their_tiers t ON m.person = t.person": ACCEPTED,
    "SELECT t.tier FROM my_segments m JOIN their_tiers t ON m.person = t.person": REFUSED,
    "SELECT DISTINCT t.person FROM my_segments m JOIN their_tiers t ON m.person = t.person": REFUSED,
    "SELECT DISTINCT tier FROM their_tiers": REFUSED,
    "SELECT SUM(s.amount) FROM sales s JOIN open_sales o ON s.person = o.person": REFUSED,
    "SELECT COUNT(zip) FROM visits": REFUSED,
    "WITH c AS (SELECT person, zip FROM visits) SELECT COUNT(DISTINCT person) FROM c WHERE zip > '1'": ACCEPTED,
    "SELECT city, SUM(person) FROM counted WHERE person = 'p1' GROUP BY city": REFUSED,
    "SELECT city, COUNT(DISTINCT person) FROM counted GROUP BY ROLLUP (city)": REFUSED,
    "SELECT COUNT(*) FROM nowhere": REFUSED,
}


@pytest.fixture(scope="module")
def tables(quick: Room) -> dict[str, Table]:
    """The tables as the verdict reads them from the service."""
    api, where = quick.brand.clean_rooms, {"collaborationIdentifier": quick.collaboration}
    found: dict[str, Table] = {}
    for summary in api.list_schemas(**where)["schemaSummaries"]:
        name = summary["name"]
        schema = api.get_schema(**where, name=name)["schema"]
        (kind,) = summary["analysisRuleTypes"]
        rule = api.get_schema_analysis_rule(**where, name=name, type=kind)["analysisRule"]
        found[name] = rules_table(schema, rule)
    return found


@pytest.mark.parametrize(("query", "expected"), QUERIES.items(), ids=list(QUERIES))
def test_service_and_verdict_agree(query: str, expected: str, quick: Room, tables: dict[str, Table]) -> None:
    verdict = check(query, tables, runner=quick.place.brand, receivers=[quick.place.brand])
    assert (ACCEPTED if verdict.accepted else REFUSED) == expected
    assert judged(quick, query) == expected


def test_groups_under_the_minimum_do_not_come_out(quick: Room) -> None:
    sql = (
        "SELECT s.segment, SUM(r.units) AS units FROM sales s JOIN returns r ON s.person = r.person "
        "WHERE s.segment <> 'c' GROUP BY s.segment"
    )
    lines: Any = table(quick, sql)
    assert sorted(lines[1:]) == [["a", "30"], ["b", "22"]]


def test_a_list_query_returns_the_overlap_once(quick: Room) -> None:
    lines: Any = table(
        quick, "SELECT DISTINCT t.tier FROM my_segments m JOIN their_tiers t ON m.person = t.person"
    )
    assert sorted(lines[1:]) == [["gold"], ["tin"]]


def test_a_template_runs_with_its_parameter(quick: Room) -> None:
    parameters = {"analysisTemplateArn": template(quick), "parameters": {"store": "a' OR 'a' = 'a"}}
    lines: Any = table(quick, "", sqlParameters=parameters)
    assert lines[1:] == [["0"]]


def test_statistics_say_how_long_a_query_ran_and_what_is_billed(quick: Room) -> None:
    shown = quick.wait(quick.start("SELECT COUNT(*) AS n FROM open_sales"))
    assert shown["status"] == "SUCCESS"
    assert shown["statistics"]["totalDurationInMillis"] > 0
    assert shown["statistics"]["billedResourceUtilization"]["units"] > 0


def test_a_result_in_the_bucket_of_the_data_is_refused(quick: Room) -> None:
    place = {"s3": {"resultFormat": "CSV", "bucket": quick.brand.data}}
    with pytest.raises(ClientError) as refused:
        quick.start("SELECT COUNT(*) FROM open_sales", resultConfiguration={"outputConfiguration": place})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_schema_is_seen_by_the_other_member_without_its_configured_table(quick: Room) -> None:
    schema = quick.brand.clean_rooms.get_schema(collaborationIdentifier=quick.collaboration, name="returns")[
        "schema"
    ]
    assert schema["creatorAccountId"] == quick.place.retailer
    with pytest.raises(ClientError):
        quick.brand.clean_rooms.get_configured_table(
            configuredTableIdentifier=quick.retailer.configured["returns"]
        )
