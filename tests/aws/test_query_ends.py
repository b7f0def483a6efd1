"""Cancelling a query and collecting what one left, on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cleanrooms.aws.operators.protected_query_cancel import CleanRoomsCancelProtectedQueryOperator
from cleanrooms.aws.operators.protected_query_results import CleanRoomsCollectResultsOperator
from cleanrooms.aws.results import default_location, delivery_of, objects_of
from cleanrooms.errors import PermanentError, ReleaseRefused, TransientError
from sandbox.testing import ACCOUNT, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.test_on_sandbox import OVERLAP, connect, furnish
from tests.sandbox.cleanrooms.lab import Lab


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running(environment={"SANDBOX_CLEANROOMS_STARTED_SECONDS": "3"}) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def room(aws: Sandbox) -> Lab:
    return furnish(aws)


@pytest.fixture
def lab(room: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    connect(monkeypatch, room.aws.endpoint, ACCOUNT, "test")
    return room


def run(operator: Any, lab: Lab, query_id: str, **more: Any) -> dict[str, Any]:
    arguments = {"membership_id": lab.membership, "query_id": query_id, "aws_conn_id": "clean_rooms"}
    task = operator(task_id="end", **{**arguments, **more})
    result: dict[str, Any] = task.execute(context_of(Store()))
    return result


def cancel(lab: Lab, query_id: str, **more: Any) -> dict[str, Any]:
    return run(CleanRoomsCancelProtectedQueryOperator, lab, query_id, **{"waiter_delay": 1, **more})


def collect(lab: Lab, query_id: str, **more: Any) -> dict[str, Any]:
    return run(CleanRoomsCollectResultsOperator, lab, query_id, **more)


def to_members(*accounts: str) -> dict[str, Any]:
    return {"outputConfiguration": {"member": {"accountId": accounts[0]}}}


def test_a_running_query_is_cancelled_and_its_end_is_waited_for(lab: Lab) -> None:
    lab.aws.faults({"match": f"^s3 GET /{lab.retailer.data}/", "delay": 60, "internal": True})
    query_id = lab.start(OVERLAP)
    assert cancel(lab, query_id) == {"query_id": query_id, "status": "CANCELLED"}
    lab.aws.faults()


def test_a_finished_query_stays_as_it_ended(lab: Lab) -> None:
    query_id = lab.start(OVERLAP)
    lab.wait(query_id)
    assert cancel(lab, query_id)["status"] == "SUCCESS"


def test_an_unknown_query_cannot_be_cancelled(lab: Lab) -> None:
    with pytest.raises(PermanentError, match="UpdateProtectedQuery on query 00000000"):
        cancel(lab, "00000000-0000-4000-8000-000000000009")


def test_a_result_in_s3_is_listed(lab: Lab) -> None:
    query_id = lab.start(OVERLAP)
    lab.wait(query_id)
    result = collect(lab, query_id)
    assert (len(result["objects"]), result["receivers"]) == (1, [])
    (item,) = result["objects"]
    assert item["bucket"] == lab.brand.results
    assert item["key"].startswith("weekly/")
    assert result["bytes"] == item["size"] > 0


def test_a_result_that_was_sent_to_us_is_listed_at_our_default_location(lab: Lab) -> None:
    role = lab.aws.role(
        "receiver",
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetBucketLocation", "s3:ListBucket"],
            "Resource": "*",
        },
        trust={"Service": "cleanrooms.amazonaws.com"},
    )
    s3 = {"resultFormat": "CSV", "bucket": lab.brand.results, "keyPrefix": "received"}
    lab.brand.clean_rooms.update_membership(
        membershipIdentifier=lab.membership,
        defaultResultConfiguration={"outputConfiguration": {"s3": s3}, "roleArn": role},
    )
    query_id = lab.start(OVERLAP, resultConfiguration=to_members(ACCOUNT))
    assert lab.wait(query_id)["status"] == "SUCCESS"
    result = collect(lab, query_id)
    assert (len(result["objects"]), result["receivers"]) == (1, [])
    assert result["objects"][0]["key"].startswith("received/")


def test_a_query_without_a_result_is_refused(lab: Lab) -> None:
    query_id = lab.start(OVERLAP)
    with pytest.raises(PermanentError, match=r"is (SUBMITTED|STARTED): it has no result"):
        collect(lab, query_id)
    cancel(lab, query_id)


def test_a_location_with_several_results_is_refused(lab: Lab) -> None:
    for folder in ("one", "two"):
        lab.brand.s3.put_object(Bucket=lab.brand.data, Key=f"mixed/{folder}/part-0.csv", Body=b"x")
    with pytest.raises(ReleaseRefused, match="holds the parts of 2 results"):
        objects_of(lab.brand.s3, f"s3://{lab.brand.data}/mixed/")


def test_markers_probes_and_siblings_are_not_results(lab: Lab) -> None:
    for name in ("one/part-0.csv", "one/_SUCCESS", "one-more/part-0.csv"):
        lab.brand.s3.put_object(Bucket=lab.brand.data, Key=f"marked/{name}", Body=b"x")
    lab.brand.s3.put_object(Bucket=lab.brand.data, Key="marked/one/probe", Body=b"")
    found = objects_of(lab.brand.s3, f"s3://{lab.brand.data}/marked/one")
    assert found == [{"bucket": lab.brand.data, "key": "marked/one/part-0.csv", "size": 1}]


def test_nothing_may_be_an_error(lab: Lab) -> None:
    query_id = lab.start(OVERLAP)
    lab.wait(query_id)
    nowhere = f"s3://{lab.brand.results}/nowhere/"
    assert collect(lab, query_id, location=nowhere)["objects"] == []
    with pytest.raises(TransientError, match="has no objects in s3://"):
        collect(lab, query_id, location=nowhere, empty_allowed=False)


@pytest.mark.parametrize(
    ("output", "location", "receivers"),
    [
        ({"s3": {"location": "s3://b/p/"}}, "s3://b/p/", ()),
        ({"memberList": [{"accountId": "2"}, {"accountId": "1"}]}, None, ("1", "2")),
        (
            {"distribute": {"s3": {"location": "s3://b/p/"}, "memberList": [{"accountId": "1"}]}},
            "s3://b/p/",
            ("1",),
        ),
    ],
    ids=["s3", "members", "distributed"],
)
def test_every_form_of_output_is_understood(output: Any, location: str | None, receivers: Any) -> None:
    delivery = delivery_of({"id": "q", "status": "SUCCESS", "result": {"output": output}})
    assert (delivery.location, delivery.receivers) == (location, receivers)


def test_a_membership_without_a_default_location_says_so() -> None:
    with pytest.raises(PermanentError, match="Membership m has no default result location"):
        default_location({"id": "m"}, "c", "q")
