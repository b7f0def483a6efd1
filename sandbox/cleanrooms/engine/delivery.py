"""Puts a result where it was asked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from sandbox.cleanrooms.engine.failures import RESOURCE_ACCESS_DENIED, RESOURCE_NOT_FOUND, QueryFailed
from sandbox.cleanrooms.engine.permissions import Runner, may_write, trusts_service
from sandbox.clients import root_client


@dataclass(frozen=True)
class Destination:
    """One place of a result.

    :param account: the receiver's
    :param principal: in whose name the object is written: the runner's, or the receiver's role
    :param assumed: whether ``principal`` is a role that the service assumes
    :param prefix: of the key, ending in a slash unless empty; the collaboration and the query follow
    """

    account: str
    bucket: str
    prefix: str
    file_format: str  # PARQUET or CSV
    principal: str
    assumed: bool = False

    def folder(self, collaboration: str, query: str) -> str:
        """Returns the key prefix that holds the result's objects and nothing else.

        The layout is the one that AWS's own code reads on the former engine; the location that
        GetProtectedQuery shows is this prefix, for consumers to list.
        """
        return f"{self.prefix}collaboration={collaboration}/{query}/"

    def location(self, collaboration: str, query: str) -> str:
        """Returns the folder as an ``s3://`` URL."""
        return f"s3://{self.bucket}/{self.folder(collaboration, query)}"


def check_destination(destination: Destination, folder: str, region: str, runner: Runner) -> None:
    """Lets pass a destination that its principal may write to.

    :raises QueryFailed: RESOURCE_ACCESS_DENIED
    """
    if destination.assumed and not trusts_service(destination.principal, region, runner):
        raise QueryFailed(
            RESOURCE_ACCESS_DENIED,
            "The receiver's result role cannot be assumed by cleanrooms.amazonaws.com.",
        )
    probe = f"{folder}part-00000"
    if not may_write(destination.principal, destination.account, destination.bucket, probe, region):
        raise QueryFailed(
            RESOURCE_ACCESS_DENIED,
            f"{destination.principal} may not s3:PutObject in the result's location.",
        )


def deliver(destination: Destination, folder: str, files: Mapping[str, Path], region: str) -> tuple[str, str]:
    """Uploads the file of the destination's format and returns (bucket, key) of the object.

    :param files: by format
    :raises QueryFailed: the bucket is gone or refuses the object
    """
    key = f"{folder}part-00000-{uuid.uuid4()}.{destination.file_format.lower()}"
    client = root_client("s3", destination.account, region)
    try:
        with files[destination.file_format].open("rb") as body:
            client.upload_fileobj(body, destination.bucket, key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        kind = RESOURCE_NOT_FOUND if code == "NoSuchBucket" else RESOURCE_ACCESS_DENIED
        message = f"Amazon S3 answered {code} when the result was written to bucket {destination.bucket}."
        raise QueryFailed(kind, message) from None
    return destination.bucket, key


def withdraw(destination: Destination, key: str, region: str) -> None:
    """Removes an object that was written before the query was cancelled."""
    root_client("s3", destination.account, region).delete_object(Bucket=destination.bucket, Key=key)
