"""Names of operations, as CloudTrail writes them."""

from __future__ import annotations

import pytest

from sandbox.operations import HIDDEN, operation_name, redacted

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("service", "method", "path", "query", "headers", "name"),
    [
        ("s3", "GET", "/", {}, {}, "ListBuckets"),
        ("s3", "GET", "/lake", {"list-type": ["2"]}, {}, "ListObjectsV2"),
        ("s3", "PUT", "/lake/a/b", {}, {}, "PutObject"),
        ("s3", "PUT", "/lake/a/b", {}, {"x-amz-copy-source": "lake/c"}, "CopyObject"),
        ("s3", "PUT", "/lake/a", {"partNumber": ["1"], "uploadId": ["u"]}, {}, "UploadPart"),
        ("s3", "POST", "/lake/a", {"uploads": [""]}, {}, "CreateMultipartUpload"),
        ("s3", "POST", "/lake/a", {"uploadId": ["u"]}, {}, "CompleteMultipartUpload"),
        ("s3", "DELETE", "/lake/a", {"uploadId": ["u"]}, {}, "AbortMultipartUpload"),
        ("s3", "GET", "/lake", {"encryption": [""]}, {}, "GetBucketEncryption"),
        ("cleanrooms", "POST", "/configuredTables", {}, {}, "CreateConfiguredTable"),
        ("cleanrooms", "POST", "/tags/arn%3Aaws%3Ax%2Fy", {}, {}, "TagResource"),
        ("kms", "POST", "/", {}, {"x-amz-target": "TrentService.Decrypt"}, "Decrypt"),
        ("monitoring", "POST", "/service/GraniteService/operation/PutMetricData", {}, {}, "PutMetricData"),
        ("", "GET", "/lake/a", {}, {}, ""),
    ],
)
def test_a_request_means_one_operation(
    service: str, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], name: str
) -> None:
    assert operation_name(service, method, path, query, headers) == name


def test_the_query_protocol_names_it_in_the_body() -> None:
    assert operation_name("iam", "POST", "/", {}, FORM, b"Action=CreateRole&RoleName=x") == "CreateRole"


def test_sensitive_parameters_are_hidden() -> None:
    query = {"type": "SQL", "sqlParameters": {"queryString": "select 1"}}
    assert redacted("cleanrooms", "StartProtectedQuery", query) == {"type": "SQL", "sqlParameters": HIDDEN}
    assert redacted("secretsmanager", "CreateSecret", {"SecretString": "x"}) == {"SecretString": HIDDEN}
    assert redacted("athena", "StartQueryExecution", {"QueryString": "x"}) == {"QueryString": HIDDEN}


def test_parameters_that_no_model_describes_are_hidden() -> None:
    assert redacted("kms", "Encrypt", {"KeyId": "k", "Novelty": "x"}) == {"KeyId": "k", "Novelty": HIDDEN}
    assert redacted("nothing", "Do", {"a": 1}) == {"a": HIDDEN}
