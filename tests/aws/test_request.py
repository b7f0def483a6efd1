"""What a query asks for, as the API takes it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cleanrooms.aws.query_request import QueryRequest, bill, summary
from cleanrooms.errors import PermanentError

BASE: dict[str, Any] = {
    "membership_id": "m-1",
    "sql": "SELECT 1",
    "result_bucket": "b",
    "result_prefix": "p/w10",
}
TEMPLATE = "arn:aws:cleanrooms:us-east-1:444455556666:membership/m/analysistemplate/t"


def request(**changes: Any) -> QueryRequest:
    return QueryRequest(**{**BASE, **changes})


def output(**changes: Any) -> Any:
    return request(**changes).arguments["resultConfiguration"]["outputConfiguration"]


def test_results_of_our_own_go_to_s3() -> None:
    s3 = {"resultFormat": "CSV", "bucket": "b", "keyPrefix": "p/w10", "singleFileOutput": True}
    assert output(result_format="CSV", single_file=True) == {"s3": s3}


def test_results_for_one_member_go_to_that_member() -> None:
    assert output(result_bucket=None, result_prefix=None, receiver_account_ids=["4"]) == {
        "member": {"accountId": "4"}
    }


def test_results_for_us_and_others_are_distributed() -> None:
    locations = output(receiver_account_ids=["4", "5"])["distribute"]["locations"]
    assert [next(iter(location)) for location in locations] == ["s3", "member", "member"]


def test_without_receivers_the_memberships_default_applies() -> None:
    assert "resultConfiguration" not in request(result_bucket=None, result_prefix=None).arguments


def test_template_parameters_become_the_strings_of_the_api() -> None:
    values = {"day": date(2017, 3, 6), "share": Decimal("0.10"), "exposed": True, "least": 25}
    arguments = request(sql=None, analysis_template_arn=TEMPLATE, parameters=values).arguments
    assert arguments["sqlParameters"] == {
        "analysisTemplateArn": TEMPLATE,
        "parameters": {"day": "2017-03-06", "share": "0.10", "exposed": "true", "least": "25"},
    }


def test_compute_and_payer_are_sent_only_when_given() -> None:
    assert {"computeConfiguration", "queryComputePayerAccountId"}.isdisjoint(request().arguments)
    arguments = request(
        worker_type="CR.4X",
        worker_number=4,
        spark_properties={"spark.sql.shuffle.partitions": "8"},
        payer_account_id="1",
    ).arguments
    assert arguments["computeConfiguration"] == {
        "worker": {
            "type": "CR.4X",
            "number": 4,
            "properties": {"spark": {"spark.sql.shuffle.partitions": "8"}},
        }
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"membership_id": ""}, "membership_id is empty"),
        ({"sql": None}, "either sql or analysis_template_arn"),
        ({"analysis_template_arn": TEMPLATE}, "either sql or analysis_template_arn"),
        ({"sql": "x" * 500_001}, "500001 characters"),
        ({"result_bucket": None}, "result_prefix without result_bucket"),
        ({"result_prefix": None}, "could not be found again after a crash"),
        ({"result_prefix": "/"}, "could not be found again after a crash"),
        ({"result_format": "ORC"}, "result_format ORC"),
        ({"parameters": {"segment": "x" * 1001}}, "Parameter segment has 1001 characters"),
    ],
)
def test_what_the_service_would_refuse_is_refused_before_the_call(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PermanentError, match=message):
        request(**changes).check()


def test_a_request_that_is_complete_passes() -> None:
    request().check()


@pytest.mark.parametrize("prefix", ["p/w10", "p/w10/", "/p/w10"])
def test_a_prefix_is_the_same_with_or_without_slashes_around(prefix: str) -> None:
    query = {"resultConfiguration": {"outputConfiguration": {"s3": {"bucket": "b", "keyPrefix": prefix}}}}
    assert request().is_asked_by(query)


def test_a_prefix_inside_a_distribution_is_recognised() -> None:
    asked = request(receiver_account_ids=["4"])
    assert asked.is_asked_by({"resultConfiguration": asked.arguments["resultConfiguration"]})


@pytest.mark.parametrize(
    ("seen", "same"),
    [
        ({"queryString": "SELECT\n  1"}, True),
        ({"queryString": "SELECT 2"}, False),
        ({"analysisTemplateArn": TEMPLATE}, False),
        ({}, False),
    ],
)
def test_without_a_prefix_the_sql_decides(seen: dict[str, str], same: bool) -> None:
    asked = request(result_bucket=None, result_prefix=None)
    assert asked.is_asked_by({"sqlParameters": seen}) is same


def test_the_fingerprint_follows_every_part_and_shows_none() -> None:
    assert request().fingerprint != request(sql="SELECT 2").fingerprint
    assert "SELECT" not in request().fingerprint


def test_a_distributed_result_names_our_place_and_the_receivers() -> None:
    query = {
        "id": "q",
        "status": "SUCCESS",
        "membershipId": "m",
        "result": {
            "output": {
                "distribute": {
                    "s3": {"location": "s3://b/p/"},
                    "memberList": [{"accountId": "5"}, {"accountId": "4"}],
                }
            }
        },
    }
    result = summary(query)
    assert (result["output_location"], result["receivers"]) == ("s3://b/p/", ["4", "5"])


@pytest.mark.parametrize(
    ("changes", "destination"),
    [
        ({}, "s3://b/p/w10/"),
        ({"receiver_account_ids": ["4"]}, "s3://b/p/w10/, member 4"),
        ({"result_bucket": None, "result_prefix": None}, "the receivers' default locations"),
    ],
)
def test_the_destination_reads_well(changes: dict[str, Any], destination: str) -> None:
    assert request(**changes).destination == destination


def test_a_bill_has_its_price_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bill(0.5) == "0.5 CRPU-hours billed"
    monkeypatch.setenv("CLEANROOMS_CRPU_HOUR_PRICE", "0.656")
    assert bill(0.5) == "0.5 CRPU-hours billed, about 0.33"
    assert bill(None) == "nothing billed"
