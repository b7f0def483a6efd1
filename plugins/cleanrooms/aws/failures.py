"""What each failure of AWS Clean Rooms means: one table, from class, reason or code to what to do.

Exception classes and reasons are those of botocore's service model, codes of failed queries those of the
API reference of ``ProtectedQueryError``. Where the service gives one class to several causes, words of its
message tell them apart; the message is documented as unstable, so a row without words always follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cleanrooms.aws.errors import (
    BudgetExhausted,
    CredentialsExpired,
    NotYetVisible,
    PermissionDenied,
    QuotaExceeded,
    Throttled,
)
from cleanrooms.errors import (
    CleanRoomsError,
    PermanentError,
    ProtectedQueryError,
    RuleViolationError,
    TransientError,
    TransientQueryError,
)


@dataclass(frozen=True)
class Row:
    """One failure: how it is recognised, which error it becomes, what a person does about it."""

    code: str
    kind: type[CleanRoomsError]
    todo: str
    reason: str = ""
    words: str = ""
    cause: str = ""

    def fits(self, code: str, reason: str, message: str) -> bool:
        """A row without reason or words fits any."""
        return (
            self.code == code
            and self.reason in ("", reason)
            and re.search(self.words, message, re.IGNORECASE) is not None
        )


_RULES = "Compare the query with the analysis rules of its tables; trying it again unchanged cannot help."
LATER = "Nothing, the retry waits; if it lasts, see the AWS Health Dashboard."

_PERMISSIONS: tuple[tuple[str, str, str], ...] = (
    (
        "service role",
        r"service role|role.{0,40}(table|association)",
        "The owner of the table: let the association's service role read the Glue table and its S3 prefix "
        "(and its KMS key), and let cleanrooms.amazonaws.com assume it for every member's membership.",
    ),
    (
        "cross-account",
        r"resource-based policy|bucket policy|key policy|kms|lake ?formation|cross.?account|another account",
        "The account that owns the resource: allow the role of the other account in the bucket policy, "
        "KMS key policy or Lake Formation grants as well; both sides must allow it.",
    ),
    (
        "result writer",
        r"s3:|bucket|results?\b|output|destination",
        "Give whoever receives the results s3:GetBucketLocation, s3:ListBucket and s3:PutObject on the result "
        "bucket: our own role when we receive them, else the role of the receiver's result configuration.",
    ),
    (
        "association",
        r"abilit|can_query|association|associated|member|not allowed to",
        "Check that this membership may run queries (CAN_QUERY), pays or has an active payer, and that "
        "every table is associated, with an analysis rule that names this member.",
    ),
)
_ANY_CAUSE = (
    "Look, in this order, at our role's cleanrooms actions, the result writer's S3 rights, the tables' service "
    "roles, the associations and abilities, and policies of the other account."
)


def _permission_rows(code: str) -> list[Row]:
    caller = Row(
        code,
        PermissionDenied,
        "Allow the action in the message for the role of the Airflow connection, on the membership's ARN.",
        words=r"not authorized to perform: cleanrooms:(?!.*resource-based)",
        cause="caller",
    )
    told_apart = [Row(code, PermissionDenied, todo, words=w, cause=cause) for cause, w, todo in _PERMISSIONS]
    return [caller, *told_apart, Row(code, PermissionDenied, _ANY_CAUSE, cause="unknown")]


API_ERRORS: tuple[Row, ...] = (
    Row(
        "ValidationException",
        BudgetExhausted,
        "Wait for the budget to refresh or ask the owner of the data to raise it.",
        words=r"aggregations remaining|budget",
    ),
    Row("ValidationException", NotYetVisible, LATER, reason="IAM_SYNCHRONIZATION_DELAY"),
    Row("ValidationException", RuleViolationError, _RULES, reason="INVALID_QUERY"),
    Row(
        "ValidationException",
        PermanentError,
        "Correct the named field.",
        reason="FIELD_VALIDATION_FAILED",
    ),
    Row(
        "ValidationException",
        PermanentError,
        "Check tables (READY?), result bucket, receivers and payer against the collaboration.",
        reason="INVALID_CONFIGURATION",
    ),
    Row(
        "ValidationException",
        RuleViolationError,
        _RULES,
        words=r"select|group by|\bjoin|column\(s\)|aggregat",
    ),
    Row("ValidationException", PermanentError, "Correct the request."),
    *_permission_rows("AccessDeniedException"),
    *_permission_rows("AccessDenied"),
    Row(
        "ResourceNotFoundException",
        PermanentError,
        "Check the id, the region and the account of the Airflow connection; it may have been deleted.",
    ),
    Row(
        "ConflictException",
        PermanentError,
        "It exists already: use or delete that one.",
        reason="ALREADY_EXISTS",
    ),
    Row("ConflictException", PermanentError, "Delete what depends on it first.", reason="SUBRESOURCES_EXIST"),
    Row(
        "ConflictException",
        PermanentError,
        "Look at its state: it does not allow this.",
        reason="INVALID_STATE",
    ),
    Row("ConflictException", PermanentError, "Look at its state: it does not allow this."),
    Row(
        "ServiceQuotaExceededException",
        QuotaExceeded,
        "Nothing if queries run at once: the retry waits longer, and the pool of the query tasks should have "
        "no more slots than the quota. Any other quota: ask AWS to raise it.",
    ),
    Row("ThrottlingException", Throttled, LATER),
    Row("TooManyRequestsException", Throttled, LATER),
    Row("InternalServerException", TransientError, LATER),
    Row("ServiceUnavailable", TransientError, LATER),
    Row("RequestTimeout", TransientError, LATER),
    Row("ExpiredTokenException", CredentialsExpired, "Nothing, the retry opens a new session."),
    Row("ExpiredToken", CredentialsExpired, "Nothing, the retry opens a new session."),
    Row("RequestExpired", CredentialsExpired, "Check the worker's clock if it comes back."),
    Row(
        "UnrecognizedClientException",
        PermissionDenied,
        "Check the Airflow connection's keys.",
        cause="caller",
    ),
    Row("InvalidClientTokenId", PermissionDenied, "Check the Airflow connection's keys.", cause="caller"),
    Row(
        "InvalidSignatureException",
        PermissionDenied,
        "Check the Airflow connection's secret key and the worker's clock.",
        cause="caller",
    ),
)

QUERY_ERRORS: tuple[Row, ...] = (
    Row(
        "MALFORMED_QUERY",
        BudgetExhausted,
        "Wait for the budget to refresh or ask the owner of the data to raise it.",
        words=r"aggregations remaining|budget",
    ),
    Row("MALFORMED_QUERY", RuleViolationError, _RULES),
    Row(
        "RESOURCE_NOT_FOUND",
        ProtectedQueryError,
        "The owner: check the Glue table, its partitions and S3 objects behind the association.",
    ),
    Row(
        "INVALID_RESOURCE",
        ProtectedQueryError,
        "The owner: check file format, partition data and column types of the Glue table.",
    ),
    *_permission_rows("RESOURCE_ACCESS_DENIED"),
    Row(
        "INSUFFICIENT_COMPUTE",
        ProtectedQueryError,
        "Raise worker_number or worker_type, or read less data; the same workers will fail again.",
    ),
    Row("TRANSIENT_ERROR", TransientQueryError, LATER),
    Row("INTERNAL_ERROR", TransientQueryError, LATER),
    Row(
        "UNKNOWN_ERROR", ProtectedQueryError, "See the query in the console; clear the task to run it again."
    ),
)

BOTO_ERRORS: tuple[tuple[type[Exception], type[CleanRoomsError], str], ...] = (
    (boto.SSLError, PermanentError, "Check verify and the CA bundle of the Airflow connection."),
    (boto.ParamValidationError, PermanentError, "Correct the named argument."),
    (boto.NoRegionError, PermanentError, "Set region_name on the Airflow connection or the task."),
    (boto.NoCredentialsError, TransientError, "Check the Airflow connection if the retry says the same."),
    (
        boto.CredentialRetrievalError,
        TransientError,
        "Check the Airflow connection if the retry says the same.",
    ),
    (boto.HTTPClientError, TransientError, LATER),
    (boto.ConnectionError, TransientError, LATER),
    (ResponseParserError, TransientError, LATER),
    (boto.BotoCoreError, PermanentError, "Check the Airflow connection."),
    (OSError, TransientError, LATER),
)

NEVER_SENT = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.SSLError,
)
