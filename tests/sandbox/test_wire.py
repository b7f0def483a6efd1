"""The REST-JSON wire, driven by botocore's model of Clean Rooms; no server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.wire import Caller, RestJsonService
from tests.sandbox.tiny import MEMBERSHIP, Tiny

CALLER = Caller("111122223333", "us-east-1", "111122223333", "arn:aws:iam::111122223333:root")


@pytest.fixture(scope="module")
def service() -> RestJsonService:
    return RestJsonService("cleanrooms", Tiny(None))


def ask(
    service: RestJsonService,
    method: str,
    path: str,
    body: Any = None,
    query: dict[str, list[str]] | None = None,
) -> tuple[int, dict[str, str], dict[str, Any]]:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    status, headers, answer = service.handle(method, path, query or {}, {}, content, CALLER)
    return status, headers, json.loads(answer)


def fields(answer: dict[str, Any]) -> dict[str, str]:
    return {field["name"]: field["message"] for field in answer["fieldList"]}


COLLABORATION = {
    "members": [],
    "name": "spring",
    "description": "d",
    "creatorMemberAbilities": [],
    "creatorDisplayName": "brand",
    "queryLogStatus": "ENABLED",
}


def test_every_operation_of_the_model_has_a_route_of_its_own(service: RestJsonService) -> None:
    for name in service.model.operation_names:
        http = service.model.operation_model(name).http
        path = http["requestUri"].replace("{", "").replace("}", "")
        assert service.operation_name(http["method"], path) == name


def test_an_arn_in_the_path_arrives_whole(service: RestJsonService) -> None:
    arn = f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{MEMBERSHIP}"
    status, _, answer = ask(service, "GET", "/tags/" + arn.replace(":", "%3A").replace("/", "%2F"))
    assert status == 200
    assert answer["tags"]["resource"] == arn


def test_a_modelled_exception_carries_its_status_its_type_and_its_members(service: RestJsonService) -> None:
    status, headers, answer = ask(service, "GET", f"/memberships/{MEMBERSHIP}")
    assert status == 404
    assert headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert answer == {"message": "not here", "resourceId": MEMBERSHIP, "resourceType": "MEMBERSHIP"}


def test_all_violated_constraints_are_listed_by_field(service: RestJsonService) -> None:
    status, headers, answer = ask(
        service, "GET", "/memberships", query={"maxResults": ["3000"], "status": ["GONE"]}
    )
    assert status == 400
    assert headers["x-amzn-errortype"] == "ValidationException"
    assert answer["reason"] == "FIELD_VALIDATION_FAILED"
    assert fields(answer) == {
        "maxResults": "Member must have value less than or equal to 100",
        "status": "Member must satisfy enum value set: [ACTIVE, REMOVED, COLLABORATION_DELETED]",
    }


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": None}, "name", "Member must not be null"),
        ({"members": [{"accountId": "12"}]}, "accountId", "length greater than or equal to 12"),
        ({"name": "x" * 101}, "name", "length less than or equal to 100"),
        ({"members": 3}, "members", "wrong type"),
        ({"queryLogStatus": "MAYBE"}, "queryLogStatus", "enum value set"),
    ],
)
def test_a_body_is_checked_member_by_member(
    service: RestJsonService, change: dict[str, Any], field: str, message: str
) -> None:
    status, _, answer = ask(service, "POST", "/collaborations", {**COLLABORATION, **change})
    assert status == 400
    assert any(field in name and message in text for name, text in fields(answer).items())


def test_a_refusal_does_not_repeat_the_value(service: RestJsonService) -> None:
    _, _, answer = ask(
        service, "POST", "/collaborations", {**COLLABORATION, "members": "secret", "name": "\x00secret"}
    )
    assert "secret" not in json.dumps(answer)


def test_a_name_that_does_not_fit_its_pattern_is_refused_quickly(service: RestJsonService) -> None:
    path = f"/memberships/{MEMBERSHIP}/analysistemplates"
    body = {"name": "a" * 90 + "!", "format": "SQL", "source": {"text": "select 1"}}
    assert ask(service, "POST", path, body)[0] == 400


@pytest.mark.parametrize(("body", "problem"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_a_body_that_is_no_json_object_is_refused(
    service: RestJsonService, body: bytes, problem: str
) -> None:
    status, headers, answer = ask(service, "POST", "/collaborations", body)
    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")
    assert problem in answer["message"]


def test_a_number_that_is_none_is_named(service: RestJsonService) -> None:
    _, _, answer = ask(service, "GET", "/memberships", query={"maxResults": ["many"]})
    assert fields(answer) == {"maxResults": "Member cannot be read as integer"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "UnknownOperationException"),
        ("DELETE", f"/memberships/{MEMBERSHIP}", 400, "ValidationException"),
        ("GET", "/collaborations", 500, "InternalServerException"),
        ("GET", "/configuredTables", 500, "InternalServerException"),
    ],
    ids=["no such operation", "not in the sandbox", "an answer outside the model", "a defect"],
)
def test_what_the_sandbox_cannot_answer_is_said_so(
    service: RestJsonService, method: str, path: str, status: int, code: str
) -> None:
    found, headers, _ = ask(service, method, path)
    assert (found, headers["x-amzn-errortype"]) == (status, code)


def test_an_operation_that_is_missing_is_refused_by_name_and_not_for_its_parameters(
    service: RestJsonService,
) -> None:
    _, _, answer = ask(service, "DELETE", f"/memberships/{MEMBERSHIP}")
    assert answer["message"] == (
        "The local AWS does not implement DeleteMembership. docs/fidelity.md lists what it has."
    )
