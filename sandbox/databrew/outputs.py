"""Puts a job's output where it was asked for, in the name of the job's role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.clients import root_client
from sandbox.databrew import layout
from sandbox.databrew.rights import RoleRights, RunFailed


def check(job: Mapping[str, Any], rights: RoleRights, started: float) -> None:
    """Lets pass a role that may write every output of the job.

    :raises RunFailed: it may not
    """
    for output in job["Outputs"]:
        key = layout.key(output, job["Name"], started, 0)
        rights.check("s3:PutObject", f"arn:aws:s3:::{output['Location']['Bucket']}/{key}")
    if job.get("EncryptionMode") == "SSE-KMS":
        rights.check("kms:GenerateDataKey", job["EncryptionKeyArn"])


def deliver(
    job: Mapping[str, Any],
    number: int,
    files: Sequence[str],
    rights: RoleRights,
    region: str,
    started: float,
) -> list[tuple[str, str]]:
    """Uploads the files of the output of that number; returns (bucket, key) of each.

    An output that overwrites first removes what its location holds.

    :raises RunFailed: the role may not, or S3 refuses
    """
    output = job["Outputs"][number]
    bucket = output["Location"]["Bucket"]
    s3 = root_client("s3", job["_owner"], region)
    written = []
    try:
        if output.get("Overwrite"):
            _clear(s3, bucket, layout.folder(output), rights)
        for part, file in enumerate(files):
            key = layout.key(output, job["Name"], started, part)
            s3.upload_file(file, bucket, key, ExtraArgs=_encryption(job))
            written.append((bucket, key))
    except ClientError as error:
        raise RunFailed(
            f"The output in bucket {bucket} cannot be written: {error.response['Error']['Code']}."
        ) from None
    except Exception as error:
        # boto3 wraps what S3 answers to an upload in an error of its own.
        if type(error).__name__ != "S3UploadFailedError":
            raise
        raise RunFailed(f"The output in bucket {bucket} cannot be written.") from None
    finally:
        for file in files:
            Path(file).unlink(missing_ok=True)
    return written


def withdraw(written: Sequence[tuple[str, str]], account: str, region: str) -> None:
    """Removes objects that were written before the run was stopped."""
    for bucket, key in written:
        root_client("s3", account, region).delete_object(Bucket=bucket, Key=key)


def _clear(s3: Any, bucket: str, prefix: str, rights: RoleRights) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    if keys:
        rights.check("s3:DeleteObject", *(f"arn:aws:s3:::{bucket}/{key}" for key in keys))
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)


def _encryption(job: Mapping[str, Any]) -> dict[str, str]:
    if job.get("EncryptionMode") == "SSE-KMS":
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": job["EncryptionKeyArn"]}
    return {"ServerSideEncryption": "AES256"} if job.get("EncryptionMode") == "SSE-S3" else {}
