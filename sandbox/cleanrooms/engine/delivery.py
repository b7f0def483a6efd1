"""Puts a result where it was asked for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from sandbox.cleanrooms.engine.failures import RESOURCE_ACCESS_DENIED, RESOURCE_NOT_FOUND, QueryFailed
from sandbox.cleanrooms.engine.permissions import Runner, may_write, trusts_service
from sandbox.clients import root_client


@dataclass(frozen=True)
class Shape:
    """A form of a result.

    :param file_format: ``PARQUET`` or ``CSV``
    :param single: one object, however large
    """

    file_format: str
    single: bool

    @property
    def name(self) -> str:
        """A folder's name for files of this form."""
        return f"{self.file_format.lower()}-{'single' if self.single else 'parts'}"


@dataclass(frozen=True)
class Destination:
    """One place of a result.

    :param account: the receiver's
    :param principal: in whose name the object is written: the runner's, or the receiver's role
    :param assumed: whether ``principal`` is a role that the service assumes
    :param prefix: of the key, ending in a slash unless empty; the collaboration and the query follow
    :param single: ``singleFileOutput``
    """

    account: str
    bucket: str
    prefix: str
    file_format: str  # PARQUET or CSV
    principal: str
    assumed: bool = False
    single: bool = False

    @property
    def shape(self) -> Shape:
        """The form in which the result goes there."""
        return Shape(self.file_format, self.single)

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


def deliver(destination: Destination, folder: str, parts: Sequence[Path], region: str) -> list[str]:
    """Uploads the parts of a result, all or none, and returns their keys.

    :param parts: files in the form of the destination
    :raises QueryFailed: the bucket is gone or refuses an object
    """
    client, run = root_client("s3", destination.account, region), uuid.uuid4()
    keys: list[str] = []
    try:
        for number, part in enumerate(parts):
            key = f"{folder}part-{number:05}-{run}{part.suffix}"
            with part.open("rb") as body:
                client.upload_fileobj(body, destination.bucket, key)
            keys.append(key)
    except ClientError as error:
        withdraw(destination, keys, region)
        code = error.response["Error"]["Code"]
        kind = RESOURCE_NOT_FOUND if code == "NoSuchBucket" else RESOURCE_ACCESS_DENIED
        message = f"Amazon S3 answered {code} when the result was written to bucket {destination.bucket}."
        raise QueryFailed(kind, message) from None
    return keys


def withdraw(destination: Destination, keys: Sequence[str], region: str) -> None:
    """Removes objects that were written before the query was cancelled or failed."""
    client = root_client("s3", destination.account, region)
    for key in keys:
        client.delete_object(Bucket=destination.bucket, Key=key)
