"""The steps need these permissions and no more."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cleanrooms.results.collect import collect
from cleanrooms.results.guard import guard
from cleanrooms.results.publish import publish, read, to_parquet
from cleanrooms.results.report import write
from sandbox.testing import Sandbox
from tests.results.examples import OVERLAP, WEEK, collaboration, overlap

GLUE_ACTIONS = (
    "glue:CreateDatabase",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:CreatePartition",
    "glue:BatchUpdatePartition",
)


def _statements(bucket: str, *, publishing: bool) -> list[dict[str, Any]]:
    arn = f"arn:aws:s3:::{bucket}"
    writing = ["s3:PutObject", "s3:DeleteObject"] if publishing else []
    return [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
        {"Effect": "Allow", "Action": ["s3:GetObject", *writing], "Resource": f"{arn}/*"},
        {"Effect": "Allow", "Action": list(GLUE_ACTIONS), "Resource": "*"},
    ]


def _release(aws: Sandbox, s3: Any, bucket: str, role: str) -> None:
    s3.put_object(Bucket=bucket, Key="protected/q1/part", Body=to_parquet(overlap()))
    room = collaboration(
        bi={"bucket": bucket, "prefix": "bi", "database": bucket.replace("-", "_")},
        report={"bucket": bucket, "prefix": "reports"},
    )
    credentials = aws.assume(role)
    mine, glue = aws.client("s3", credentials=credentials), aws.client("glue", credentials=credentials)
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="bi/audience_overlap/week=2017-W46/stray.parquet", Body=b"x")
        collected = collect(mine, f"s3://{bucket}/protected/q1/", OVERLAP)
        report = guard(collected.table, OVERLAP)
        release = publish(
            mine, glue, room, OVERLAP, WEEK, collected, report, protected_query_id="q1", sql_digest=""
        )
        assert read(mine, release) == overlap()
        write(mine, room, WEEK, "<p></p>")


def test_a_role_with_the_documented_permissions_can_release_again_and_again(
    aws: Sandbox, s3: Any, bucket: str
) -> None:
    role = aws.role("releases", *_statements(bucket, publishing=True))
    _release(aws, s3, bucket, role)


def test_a_role_that_may_only_read_cannot_release(aws: Sandbox, s3: Any, bucket: str) -> None:
    role = aws.role("reads", *_statements(bucket, publishing=False))
    with pytest.raises(ClientError, match="AccessDenied"):
        _release(aws, s3, bucket, role)
