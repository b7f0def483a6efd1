"""The table of failures, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cleanrooms.aws.errors import (
    BudgetExhausted,
    CredentialsExpired,
    NotYetVisible,
    PermissionDenied,
    QueryCancelled,
    QueryTimedOut,
    QuotaExceeded,
    Throttled,
)
from cleanrooms.aws.failures import API_ERRORS, QUERY_ERRORS, Row
from cleanrooms.aws.meaning import from_aws, from_query, masked, may_have_happened
from cleanrooms.errors import (
    CleanRoomsError,
    PermanentError,
    ProtectedQueryError,
    RuleViolationError,
    TransientError,
    TransientQueryError,
)
from cleanrooms.retry import CLEAN_ROOMS_RETRY_POLICY, QUOTA_DELAY, default_args

QUERY = {"id": "q-1", "status": "FAILED"}


def client_error(code: str, message: str = "m", status: int = 400, **members: Any) -> boto.ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **members,
    }
    return boto.ClientError(response, "StartProtectedQuery")  # type: ignore[arg-type]


API_CASES: list[tuple[str, str, str, type[CleanRoomsError]]] = [
    (
        "ValidationException",
        "INVALID_QUERY",
        "You do not have enough aggregations remaining",
        BudgetExhausted,
    ),
    ("ValidationException", "IAM_SYNCHRONIZATION_DELAY", "m", NotYetVisible),
    ("ValidationException", "INVALID_QUERY", "m", RuleViolationError),
    ("ValidationException", "FIELD_VALIDATION_FAILED", "m", PermanentError),
    ("ValidationException", "INVALID_CONFIGURATION", "m", PermanentError),
    ("ValidationException", "", "Column(s) [identifier] is not allowed in select", RuleViolationError),
    ("ValidationException", "", "m", PermanentError),
    ("AccessDeniedException", "INSUFFICIENT_PERMISSIONS", "m", PermissionDenied),
    ("AccessDenied", "", "m", PermissionDenied),
    ("ResourceNotFoundException", "", "m", PermanentError),
    ("ConflictException", "ALREADY_EXISTS", "m", PermanentError),
    ("ConflictException", "SUBRESOURCES_EXIST", "m", PermanentError),
    ("ConflictException", "INVALID_STATE", "m", PermanentError),
    ("ConflictException", "", "m", PermanentError),
    ("ServiceQuotaExceededException", "", "m", QuotaExceeded),
    ("ThrottlingException", "", "m", Throttled),
    ("TooManyRequestsException", "", "m", Throttled),
    ("InternalServerException", "", "m", TransientError),
    ("ServiceUnavailable", "", "m", TransientError),
    ("RequestTimeout", "", "m", TransientError),
    ("ExpiredTokenException", "", "m", CredentialsExpired),
    ("ExpiredToken", "", "m", CredentialsExpired),
    ("RequestExpired", "", "m", CredentialsExpired),
    ("UnrecognizedClientException", "", "m", PermissionDenied),
    ("InvalidClientTokenId", "", "m", PermissionDenied),
    ("InvalidSignatureException", "", "m", PermissionDenied),
]


@pytest.mark.parametrize(("code", "reason", "message", "kind"), API_CASES)
def test_each_refusal_of_the_api_has_its_meaning(
    code: str, reason: str, message: str, kind: type[CleanRoomsError]
) -> None:
    error = from_aws(client_error(code, message, reason=reason), "StartProtectedQuery", "membership m-1")
    assert type(error) is kind
    assert error.todo
    assert f"StartProtectedQuery on membership m-1 was refused with {code} {reason}".strip() in str(error)


def test_every_code_of_the_table_has_a_case() -> None:
    assert {row.code for row in API_ERRORS} == {case[0] for case in API_CASES}


def test_every_exception_of_the_service_model_is_in_the_table() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("cleanrooms")
    declared = {
        shape.name for name in model.operation_names for shape in model.operation_model(name).error_shapes
    }
    assert declared <= {row.code for row in API_ERRORS}


def test_every_validation_reason_of_the_service_model_is_in_the_table() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("cleanrooms")
    reasons = set(model.shape_for("ValidationExceptionReason").enum)
    assert reasons == {row.reason for row in API_ERRORS if row.code == "ValidationException"} - {""}


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (
            "caller",
            "User: arn:aws:sts::111122223333:assumed-role/a/b is not authorized to perform: "
            "cleanrooms:StartProtectedQuery on resource: arn:aws:cleanrooms:us-east-1:111122223333:membership/m "
            "because no identity-based policy allows the cleanrooms:StartProtectedQuery action",
        ),
        ("result writer", "Not authorized to perform: s3:PutObject on resource: arn:aws:s3:::results/*"),
        ("result writer", "Access to the output destination is denied"),
        (
            "service role",
            "One or more tables referenced by the query is not accessible by its associated service role",
        ),
        ("association", "The membership does not have the ability CAN_QUERY"),
        ("cross-account", "s3:PutObject because no resource-based policy allows the s3:PutObject action"),
        ("cross-account", "kms:GenerateDataKey on the key of account 444455556666 is denied"),
        ("cross-account", "Insufficient Lake Formation permission(s) on transactions"),
        ("unknown", "Access denied"),
    ],
)
def test_the_causes_of_a_missing_permission_are_told_apart(cause: str, message: str) -> None:
    error = from_aws(
        client_error("AccessDeniedException", message, 403), "StartProtectedQuery", "membership m-1"
    )
    assert error.data["cause"] == cause
    assert f"Cause: {cause}." in str(error)


def test_each_cause_says_something_else_to_do() -> None:
    todos = [row.todo for row in API_ERRORS if row.code == "AccessDeniedException"]
    assert len(todos) == len(set(todos)) == 6


QUERY_CASES: list[tuple[str, str, type[CleanRoomsError]]] = [
    ("MALFORMED_QUERY", "You do not have enough aggregations remaining to run this query", BudgetExhausted),
    ("MALFORMED_QUERY", "m", RuleViolationError),
    ("RESOURCE_NOT_FOUND", "m", ProtectedQueryError),
    ("INVALID_RESOURCE", "m", ProtectedQueryError),
    ("RESOURCE_ACCESS_DENIED", "m", PermissionDenied),
    ("INSUFFICIENT_COMPUTE", "m", ProtectedQueryError),
    ("TRANSIENT_ERROR", "m", TransientQueryError),
    ("INTERNAL_ERROR", "m", TransientQueryError),
    ("UNKNOWN_ERROR", "m", ProtectedQueryError),
    ("SOMETHING_NEW", "m", ProtectedQueryError),
]


@pytest.mark.parametrize(("code", "message", "kind"), QUERY_CASES)
def test_each_code_of_a_failed_query_has_its_meaning(
    code: str, message: str, kind: type[CleanRoomsError]
) -> None:
    error = from_query({**QUERY, "error": {"code": code, "message": message}})
    assert type(error) is kind
    assert error.todo
    assert f"Protected query q-1 ended FAILED with {code}: {message}" in str(error)


def test_every_query_code_of_the_table_has_a_case() -> None:
    assert {row.code for row in QUERY_ERRORS} <= {case[0] for case in QUERY_CASES}


@pytest.mark.parametrize(
    ("code", "retryable", "kind"),
    [
        ("UNKNOWN_ERROR", True, TransientQueryError),
        ("INTERNAL_ERROR", False, ProtectedQueryError),
        ("TRANSIENT_ERROR", True, TransientQueryError),
        ("MALFORMED_QUERY", False, RuleViolationError),
    ],
)
def test_the_services_own_word_on_retrying_wins(
    code: str, retryable: bool, kind: type[CleanRoomsError]
) -> None:
    error = {"code": code, "message": "m", "retry": {"retryable": retryable}}
    assert type(from_query({**QUERY, "error": error})) is kind


@pytest.mark.parametrize(("status", "kind"), [("CANCELLED", QueryCancelled), ("TIMED_OUT", QueryTimedOut)])
def test_the_other_ends_without_success_are_permanent(status: str, kind: type[CleanRoomsError]) -> None:
    error = from_query({"id": "q-1", "status": status})
    assert type(error) is kind
    assert error.permanent


@pytest.mark.parametrize(
    ("error", "permanent", "may_have"),
    [
        (boto.EndpointConnectionError(endpoint_url="http://x"), False, False),
        (boto.ConnectTimeoutError(endpoint_url="http://x"), False, False),
        (boto.ReadTimeoutError(endpoint_url="http://x"), False, True),
        (boto.ConnectionClosedError(endpoint_url="http://x"), False, True),
        (ResponseParserError("torn"), False, True),
        (TimeoutError("slow"), False, True),
        (boto.SSLError(endpoint_url="http://x", error="bad"), True, False),
        (boto.NoCredentialsError(), False, False),
        (boto.NoRegionError(), True, False),
        (boto.ParamValidationError(report="sql"), True, False),
        (client_error("InternalServerException", status=500), False, True),
        (client_error("ThrottlingException", status=429), False, False),
        (client_error("Odd", status=503), False, True),
        (client_error("Odd", status=400), True, False),
    ],
)
def test_what_never_reached_a_service_is_told_from_what_may_have_happened(
    error: Exception, permanent: bool, may_have: bool
) -> None:
    assert from_aws(error, "StartProtectedQuery", "membership m-1").permanent is permanent
    assert may_have_happened(error) is may_have


def test_an_error_that_is_not_of_aws_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError):
        from_aws(ZeroDivisionError(), "GetProtectedQuery", "query q")


def test_of_a_refused_argument_only_the_name_is_kept() -> None:
    report = (
        "Invalid type for parameter sqlParameters.queryString, value: SELECT 'jane', type: <class 'list'>"
    )
    text = str(from_aws(boto.ParamValidationError(report=report), "StartProtectedQuery", "membership m-1"))
    assert "botocore refuses sqlParameters.queryString" in text
    assert "SELECT" not in text


def test_an_operation_that_is_not_there_is_no_passing_trouble() -> None:
    error = client_error("NotImplementedException", status=501)
    assert from_aws(error, "StartProtectedJob", "membership m").permanent
    assert not may_have_happened(error)


def test_literals_do_not_pass_through_messages() -> None:
    message = "mismatched input near 'jane@example.com'\n  in 'x'"
    assert masked(message) == "mismatched input near '…' in '…'"


def test_named_facts_of_the_service_are_kept() -> None:
    error = client_error("ServiceQuotaExceededException", quotaName="Concurrent queries", quotaValue=5.0)
    assert "quotaName Concurrent queries, quotaValue 5.0" in str(from_aws(error, "StartProtectedQuery", "m"))


def test_named_fields_of_the_service_are_kept() -> None:
    error = client_error("ValidationException", fieldList=[{"name": "bucket", "message": "too short"}])
    assert "field bucket: too short" in str(from_aws(error, "StartProtectedQuery", "m"))


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (QuotaExceeded("w"), "retry", QUOTA_DELAY),
        (Throttled("w"), "retry", None),
        (TransientQueryError("w"), "retry", None),
        (NotYetVisible("w"), "retry", None),
        (CredentialsExpired("w"), "retry", None),
        (PermissionDenied("w"), "fail", None),
        (RuleViolationError("w"), "fail", None),
        (BudgetExhausted("w"), "fail", None),
        (QueryTimedOut("w"), "fail", None),
        (RuntimeError("w"), "default", None),
    ],
)
def test_the_retry_policy_follows_the_error(error: Exception, action: str, delay: Any) -> None:
    decision = CLEAN_ROOMS_RETRY_POLICY.evaluate(error, 1, 5)
    assert (decision.action.value, decision.retry_delay) == (action, delay)


def test_the_policy_survives_the_serialisation_of_a_dag() -> None:
    again = type(CLEAN_ROOMS_RETRY_POLICY).deserialize(CLEAN_ROOMS_RETRY_POLICY.serialize())
    assert again.evaluate(PermissionDenied("w"), 1, 5).action.value == "fail"


def test_dags_get_the_policy_and_a_back_off_and_may_change_them() -> None:
    arguments = default_args(owner="analytics", retries=2)
    assert arguments["retry_policy"] is CLEAN_ROOMS_RETRY_POLICY
    assert (arguments["owner"], arguments["retries"]) == ("analytics", 2)


def test_a_row_without_reason_and_words_fits_any() -> None:
    assert Row("X", PermanentError, "t").fits("X", "ANY", "anything")
