"""What the package and its example rely on in ministack's own services."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import PARTNER, Sandbox

Names = Callable[[str], str]


def test_a_buckets_default_encryption_applies_and_can_be_verified(aws: Sandbox, fresh: Names) -> None:
    s3, bucket = aws.client("s3"), fresh("sealed")
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket=bucket)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    (found,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert found["ApplyServerSideEncryptionByDefault"] == default
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    head = s3.head_object(Bucket=bucket, Key="a")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_accounts_do_not_see_each_others_objects_and_secrets(aws: Sandbox, fresh: Names) -> None:
    bucket, secret = fresh("mine"), fresh("secret")
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    aws.client("secretsmanager").create_secret(Name=secret, SecretString="s")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client("s3", account=PARTNER).get_object(Bucket=bucket, Key="a")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("secretsmanager", account=PARTNER).get_secret_value(SecretId=secret)


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_a_presigned_link_reads_an_object(aws: Sandbox, fresh: Names, signature: str) -> None:
    s3, bucket = aws.client("s3", signature_version=signature), fresh("linked")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a b/ü=1%", Body=b"1")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü=1%"})
    assert urllib.request.urlopen(link).read() == b"1"
    last = aws.audit()[-1]
    assert (last["service"], last["operation"]) == ("s3", "GetObject")


def test_a_conditional_put_does_not_overwrite(aws: Sandbox, fresh: Names) -> None:
    s3, bucket = aws.client("s3"), fresh("once")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")


def test_an_upload_of_many_parts_arrives_whole(aws: Sandbox, fresh: Names) -> None:
    s3, bucket, part = aws.client("s3"), fresh("parts"), b"x" * (5 << 20)
    s3.create_bucket(Bucket=bucket)
    upload = {"Bucket": bucket, "Key": "a"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    tags = [s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, start=1)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == 2 * len(part)
