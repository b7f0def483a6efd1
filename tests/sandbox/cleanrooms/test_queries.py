"""Protected queries: statuses, cancelling, quotas, receivers, restarts."""

from __future__ import annotations

import io
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running
from tests.sandbox.cleanrooms.lab import Lab, any_query, rows
from tests.waiting import until

COUNT = "SELECT p.city, COUNT(*) AS n FROM people p GROUP BY p.city ORDER BY p.city"


def with_people(lab: Lab, number: int = 3) -> Lab:
    table = pa.table(
        {"k": [str(one) for one in range(number)], "city": ["Rome", "Oslo", "Rome"] * (number // 3)}
    )
    lab.brand.parquet_table("people", {"k": "string", "city": "string"}, table)
    lab.brand.share(lab.membership, "people", ["k", "city"], "CUSTOM", any_query())
    return lab


@pytest.fixture
def people(lab: Lab) -> Lab:
    return with_people(lab)


@pytest.fixture(scope="module")
def slow_aws() -> Iterator[Sandbox]:
    """Queries take their time here."""
    with running(environment={"SANDBOX_CLEANROOMS_STARTED_SECONDS": "30"}) as sandbox:
        yield sandbox


@pytest.fixture
def slow(slow_aws: Sandbox) -> Iterator[Lab]:
    lab = with_people(Lab(slow_aws))
    yield lab
    for one in lab.brand.clean_rooms.list_protected_queries(membershipIdentifier=lab.membership)[
        "protectedQueries"
    ]:
        if one["status"] in ("SUBMITTED", "STARTED"):
            cancel(lab, one["id"])


def cancel(lab: Lab, query: str) -> dict[str, Any]:
    answer = lab.brand.clean_rooms.update_protected_query(
        membershipIdentifier=lab.membership, protectedQueryIdentifier=query, targetStatus="CANCELLED"
    )
    shown: dict[str, Any] = answer["protectedQuery"]
    return shown


def test_a_query_ends_with_its_result_under_a_prefix_of_its_own(people: Lab) -> None:
    shown = people.wait(people.start(COUNT))

    location = shown["result"]["output"]["s3"]["location"]
    body, key = people.result_object(location)
    assert location == (
        f"s3://{people.brand.results}/weekly/collaboration={people.collaboration}/{shown['id']}/"
    )
    assert key.endswith(".parquet")
    assert pq.read_table(io.BytesIO(body)).to_pylist() == [{"city": "Oslo", "n": 1}, {"city": "Rome", "n": 2}]
    assert shown["statistics"]["totalDurationInMillis"] > 0
    # 16 workers of type CR.1X with 2 CRPU each, for the billed minimum of a minute.
    assert shown["statistics"]["billedResourceUtilization"]["units"] == pytest.approx(32 / 60, abs=1e-6)


def test_csv_results_have_a_header_and_empty_fields_for_nulls(people: Lab) -> None:
    sql = "SELECT p.city, NULLIF(p.k, '1') AS k, TRUE AS yes FROM people p ORDER BY p.k"
    shown = people.wait(people.start(sql, result_format="CSV"))
    body, key = people.result_object(shown["result"]["output"]["s3"]["location"])
    assert key.endswith(".csv")
    assert body.decode() == "city,k,yes\nRome,0,true\nOslo,,true\nRome,2,true\n"


@pytest.mark.parametrize("result_format", ["CSV", "PARQUET"])
def test_a_query_without_rows_succeeds_with_columns_only(people: Lab, result_format: str) -> None:
    table = people.run(f"SELECT * FROM ({COUNT}) AS c WHERE c.n > 100", result_format=result_format)
    assert (table.num_rows, table.column_names) == (0, ["city", "n"])


def test_a_broken_rule_is_an_exception_and_no_query(people: Lab) -> None:
    with pytest.raises(ClientError) as refused:
        people.start("SELECT q.city FROM people q, nobody n")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["reason"] == "INVALID_QUERY"
    listed = people.brand.clean_rooms.list_protected_queries(membershipIdentifier=people.membership)
    assert listed["protectedQueries"] == []


def test_broken_rules_can_be_told_later_instead() -> None:
    with running(environment={"SANDBOX_CLEANROOMS_VIOLATIONS": "async"}) as aws:
        lab = with_people(Lab(aws))
        shown = lab.wait(lab.start("SELECT q.city FROM people q, nobody n"))
    assert (shown["status"], shown["error"]["code"]) == ("FAILED", "MALFORMED_QUERY")
    assert shown["statistics"]["billedResourceUtilization"]["units"] == 0


def test_a_member_that_cannot_query_is_denied(people: Lab) -> None:
    with pytest.raises(ClientError, match="CAN_QUERY") as refused:
        people.start(
            COUNT, client=people.retailer.clean_rooms, membershipIdentifier=people.retailer_membership
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_results_may_not_go_to_a_bucket_that_holds_data(people: Lab) -> None:
    output = {"s3": {"resultFormat": "CSV", "bucket": people.brand.data}}
    with pytest.raises(ClientError) as refused:
        people.start(COUNT, resultConfiguration={"outputConfiguration": output})
    assert refused.value.response["reason"] == "INVALID_CONFIGURATION"


def test_results_need_a_bucket_that_exists(people: Lab) -> None:
    output = {"s3": {"resultFormat": "CSV", "bucket": "there-is-no-such-bucket"}}
    with pytest.raises(ClientError, match="there-is-no-such-bucket"):
        people.start(COUNT, resultConfiguration={"outputConfiguration": output})


def test_a_receiver_has_to_be_allowed_by_every_table(people: Lab) -> None:
    people.brand.csv_table("other", ["k"], [("1",)])
    people.brand.share(people.membership, "other", ["k"], "CUSTOM", any_query(), receivers=[PARTNER])
    with pytest.raises(ClientError) as refused:
        people.start("SELECT COUNT(*) AS n FROM people p JOIN other o ON p.k = o.k")
    assert refused.value.response["reason"] == "INVALID_CONFIGURATION"


def test_without_a_result_configuration_the_memberships_default_applies(people: Lab) -> None:
    client, output = people.brand.clean_rooms, {"s3": {"resultFormat": "CSV", "bucket": people.brand.results}}
    request = {
        "type": "SQL",
        "membershipIdentifier": people.membership,
        "sqlParameters": {"queryString": COUNT},
    }
    with pytest.raises(ClientError, match="no single default result configuration"):
        client.start_protected_query(**request)

    client.update_membership(
        membershipIdentifier=people.membership, defaultResultConfiguration={"outputConfiguration": output}
    )
    shown = people.wait(client.start_protected_query(**request)["protectedQuery"]["id"])

    assert shown["resultConfiguration"] == {"outputConfiguration": output}
    assert rows(people.result(shown)) == {("Oslo", 1), ("Rome", 2)}


def test_a_query_that_the_engine_cannot_run_as_spark_would_fails_by_the_functions_name(people: Lab) -> None:
    error = people.fails("SELECT INITCAP(p.city) AS c FROM people p")
    assert error["code"] == "MALFORMED_QUERY"
    assert "INITCAP" in error["message"]


def test_an_ended_query_cannot_be_cancelled(people: Lab) -> None:
    query = people.start(COUNT)
    people.wait(query)
    with pytest.raises(ClientError) as refused:
        cancel(people, query)
    assert refused.value.response["Error"]["Code"] == "ConflictException"


def test_what_a_query_fetched_is_gone_when_it_has_ended(tmp_path: Path) -> None:
    with running(data=tmp_path) as aws:
        lab = with_people(Lab(aws))
        lab.run(COUNT)
        lab.fails("SELECT INITCAP(p.city) AS c FROM people p")
        until(lambda: list(tmp_path.glob("cleanrooms/work/*")), lambda left: not left)


def test_a_cancelled_query_leaves_no_result(slow: Lab) -> None:
    query = slow.start(COUNT)
    slow.wait(query, "STARTED")

    assert cancel(slow, query)["status"] == "CANCELLING"
    assert slow.wait(query)["status"] == "CANCELLED"
    assert "Contents" not in slow.brand.s3.list_objects_v2(Bucket=slow.brand.results)


def test_a_query_that_computes_is_cancelled_long_before_its_end(lab: Lab) -> None:
    with_people(lab, 6000)
    query = lab.start("SELECT COUNT(*) AS n FROM people a, people b, people c WHERE a.k < b.k AND b.k < c.k")
    lab.wait(query, "STARTED")
    time.sleep(1)

    cancel(lab, query)

    assert lab.wait(query)["status"] == "CANCELLED"


def test_the_sixth_query_at_a_time_is_over_the_quota(slow: Lab) -> None:
    for _ in range(5):
        slow.start(COUNT)
    with pytest.raises(ClientError) as refused:
        slow.start(COUNT)
    assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 402
    assert refused.value.response["quotaValue"] == 5


def test_queries_are_listed_newest_first_by_status(people: Lab) -> None:
    client = people.brand.clean_rooms
    made = [people.start(COUNT) for _ in range(3)]
    for query in made:
        people.wait(query)
    pages = client.get_paginator("list_protected_queries").paginate(
        membershipIdentifier=people.membership, status="SUCCESS", PaginationConfig={"PageSize": 2}
    )
    listed = [one for page in pages for one in page["protectedQueries"]]
    assert [one["id"] for one in listed] == made[::-1]
    receivers = listed[0]["receiverConfigurations"][0]["configurationDetails"]
    assert receivers["directAnalysisConfigurationDetails"]["receiverAccountIds"] == [ACCOUNT]
    assert not client.list_protected_queries(membershipIdentifier=people.membership, status="FAILED")[
        "protectedQueries"
    ]


def test_a_query_that_takes_too_long_times_out() -> None:
    limits = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "30", "SANDBOX_CLEANROOMS_TIME_LIMIT_SECONDS": "1"}
    with running(environment=limits) as aws:
        lab = with_people(Lab(aws))
        assert lab.wait(lab.start(COUNT))["status"] == "TIMED_OUT"


def test_after_a_crash_the_state_is_there_and_queries_in_flight_have_failed(tmp_path: Path) -> None:
    slow = {"SANDBOX_CLEANROOMS_STARTED_SECONDS": "30"}
    with running(data=tmp_path, environment=slow) as aws:
        lab = with_people(Lab(aws))
        query = lab.start(COUNT)
        lab.wait(query, "STARTED")
        folder = tmp_path / "cleanrooms" / "work"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        aws.process.kill()
        aws.process.wait()
    with running(data=tmp_path) as aws:
        lab.brand.clean_rooms = aws.client("cleanrooms", account=ACCOUNT)
        shown = lab.query(query)
        members = lab.brand.clean_rooms.list_members(collaborationIdentifier=lab.collaboration)[
            "memberSummaries"
        ]
    assert (shown["status"], shown["error"]["code"]) == ("FAILED", "TRANSIENT_ERROR")
    assert [one["status"] for one in members] == ["ACTIVE", "ACTIVE"]
    assert not list(folder.glob("*"))


def test_columns_without_an_alias_are_named_as_in_spark(people: Lab) -> None:
    table = people.run("SELECT p.city, COUNT(DISTINCT p.k), MAX(p.k) AS last FROM people p GROUP BY p.city")
    assert table.column_names == ["city", "count(DISTINCT k)", "last"]


def test_a_query_may_name_a_part_of_itself_like_a_table(people: Lab) -> None:
    sql = "WITH people AS (SELECT q.k FROM people q WHERE q.city = 'Rome') SELECT COUNT(*) AS n FROM people p"
    assert rows(people.run(sql)) == {(2,)}


@pytest.mark.parametrize(("number", "is_accepted"), [(2, True), (400, True), (401, False), (1, False)])
def test_sql_takes_two_to_four_hundred_workers(people: Lab, number: int, is_accepted: bool) -> None:
    client = people.brand.client("cleanrooms", parameter_validation=False)
    worker = {"worker": {"type": "CR.1X", "number": number}}
    if is_accepted:
        assert people.start(COUNT, client, computeConfiguration=worker)
        return
    with pytest.raises(ClientError, match="ValidationException"):
        people.start(COUNT, client, computeConfiguration=worker)
