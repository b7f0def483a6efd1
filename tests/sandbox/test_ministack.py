"""Contracts of the private names that ``sandbox.ministack`` touches: they fail when an upgrade moves one."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import athena, cloudtrail, cloudwatch_logs, eventbridge, glue, iam, s3, sts

from sandbox.ministack.inside import Inside
from sandbox.ministack.sessions import role_session


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_handlers_are_looked_up_by_service_at_each_request() -> None:
    assert parameters(app.SERVICE_HANDLERS["glue"]) == ["method", "path", "headers", "body", "query_params"]
    assert "SERVICE_HANDLERS.get(service)" in inspect.getsource(app._dispatch_service_request)


def test_services_are_told_apart_by_credential_scope() -> None:
    router.SERVICE_PATTERNS["contract"] = {"host_patterns": [], "credential_scope": "contract"}
    try:
        headers = {
            "authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-west-1/contract/aws4_request"
        }
        assert router.detect_service("GET", "/x", headers, {}) == "contract"
        assert router.extract_region(headers, {}) == "eu-west-1"
        assert router.extract_access_key_id(headers, {}) == "123456789012"
    finally:
        del router.SERVICE_PATTERNS["contract"]


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (iam_actions.extract_iam_action, ["service", "method", "path", "headers", "body", "query_params"]),
        (
            iam_actions.extract_resource_arn,
            ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"],
        ),
        (
            app._maybe_record_cloudtrail,
            ["service", "method", "path", "headers", "body", "query_params", "request_id", "region"],
        ),
        (app._ct_resources, ["service", "method", "path", "body"]),
        (app._ct_request_params, ["headers", "body", "query_params"]),
        (app._request_account_scope, ["access_key_id"]),
        (eventbridge._put_events, ["data", "allow_aws_source"]),
        (cloudwatch_logs._create_log_group, ["data"]),
        (cloudwatch_logs._create_log_stream, ["data"]),
        (cloudwatch_logs._put_log_events, ["data"]),
        (athena._run_duckdb, ["query", "database", "catalog"]),
        (iam_evaluator.resolve_principal, ["access_key_id", "account_id", "credential"]),
        (iam_evaluator._gather_role_policies, ["role_name", "account_id"]),
        (iam_evaluator._gather_user_policies, ["user_name", "account_id"]),
        (iam_evaluator._permissions_boundary, ["store", "name", "account_id"]),
        (iam_evaluator.evaluate, ["ctx", "policies", "limits"]),
        (iam._p, ["params", "key", "default"]),
        (iam._xml, ["status", "root_tag", "inner", "ns"]),
        (iam._error, ["code", "message", "status", "ns"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_takes_what_we_pass(function: Any, names: list[str]) -> None:
    found = parameters(function)
    assert len(found) == len(names), found


def test_iam_functions_are_imported_for_each_request() -> None:
    source = inspect.getsource(app._dispatch_service_request)
    assert "from ministack.core.iam_actions import" in source
    assert "_maybe_record_cloudtrail(" in source


def test_namespaces_are_looked_up_by_service() -> None:
    assert iam_actions.SERVICE_TO_IAM_NAMESPACE["glue"] == "glue"


def test_account_and_region_belong_to_the_request() -> None:
    with responses.request_scope("123456789012", "eu-west-1"):
        assert (responses.get_account_id(), responses.get_region()) == ("123456789012", "eu-west-1")
    assert callable(responses.set_request_account_id)
    assert callable(responses.set_request_region)


def test_the_callers_arn_is_the_accounts_root_unless_pinned() -> None:
    with responses.request_scope("123456789012", "eu-west-1"):
        assert iam_evaluator.caller_arn() == "arn:aws:iam::123456789012:root"
    assert issubclass(iam_evaluator.AmbiguousAccessKeyError, ValueError)


def test_iam_stores_are_read_by_account_and_name() -> None:
    for store in (iam._roles, iam._users):
        assert store.get_scoped("123456789012", None, "nobody") is None


def test_the_simulator_is_an_entry_of_the_handlers() -> None:
    assert callable(iam._IAM_HANDLERS["SimulatePrincipalPolicy"])
    assert "_IAM_HANDLERS" in inspect.getsource(iam)


def test_an_evaluation_knows_its_context() -> None:
    known = set(parameters(iam_evaluator.EvalContext))
    assert known >= {
        "principal_arn",
        "principal_type",
        "principal_account",
        "action",
        "resource_arn",
        "region",
        "service_context",
    }


def test_the_duckdb_engine_is_looked_up_when_a_query_runs() -> None:
    assert "_run_duckdb(query, database, catalog)" in inspect.getsource(athena._execute_query)


def test_a_trail_entry_is_the_last_of_the_accounts_queue() -> None:
    with responses.request_scope("123456789012", "eu-west-1"):
        cloudtrail.record_event(
            service="s3",
            event_name="ListBuckets",
            username="root",
            access_key_id="1",
            resources=[],
            region="eu-west-1",
            request_id="r",
            user_agent="u",
            request_params={},
            method="GET",
        )
        entry = cloudtrail._get_event_queue()[-1]
    assert entry["EventName"] == "ListBuckets"
    assert '"userIdentity"' in entry["CloudTrailEvent"]


def test_sessions_end_when_their_expiration_says_so() -> None:
    assert isinstance(sts._sessions, dict)
    assert sts._session_expired({"Expiration": 0.0})


def test_a_session_that_a_service_registers_is_the_roles() -> None:
    keys = role_session("arn:aws:iam::123456789012:role/jobs", "run-1")
    known = iam_evaluator.resolve_principal(keys["AWS_ACCESS_KEY_ID"], "123456789012")
    assert known is not None
    assert known.arn == "arn:aws:sts::123456789012:assumed-role/jobs/run-1"


def test_tables_and_buckets_are_found_by_account_and_name_without_a_request() -> None:
    glue._tables.set_scoped("123456789012", "eu-west-1", "lake/visits", {"Name": "visits"})
    s3._buckets.set_scoped("123456789012", None, "contract", {})
    inside = Inside()
    try:
        found = inside.glue_table("123456789012", "eu-west-1", "lake", "visits")
        assert found == {"Name": "visits"}
        assert inside.glue_table("123456789012", "us-east-1", "lake", "visits") is None
        assert inside.has_bucket("123456789012", "contract")
        assert not inside.has_bucket("210987654321", "contract")
    finally:
        glue._tables.pop_scoped("123456789012", "eu-west-1", "lake/visits")
        s3._buckets.pop_scoped("123456789012", None, "contract")
