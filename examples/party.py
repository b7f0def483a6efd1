"""A party of the example: an AWS account, seen through one key of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Party:
    """Credentials in an account; the endpoint is the one that boto3 finds in its environment."""

    name: str
    account: str
    region: str
    session: boto3.session.Session = field(repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def with_key(cls, name: str, account: str, region: str, key_id: str, secret: str) -> Party:
        """A party that acts with one access key."""
        session = boto3.session.Session(
            aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region
        )
        return cls(name, account, region, session)

    def client(self, service: str) -> Any:
        """A boto3 client; one per service."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)  # type: ignore[call-overload]
        return self._clients[service]

    @property
    def local(self) -> bool:
        """Whether the endpoint is a local AWS, which speaks plain HTTP."""
        return str(self.client("sts").meta.endpoint_url).startswith("http:")

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, name: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{name}"


def code(error: ClientError) -> str:
    """Error code of an AWS answer."""
    return str(error.response["Error"]["Code"])


MISSING = frozenset({
    "404", "NoSuchBucket", "NoSuchEntity", "NoSuchKey", "NotFoundException", "ResourceNotFoundException",
    "EntityNotFoundException",
})  # fmt: skip


def found(call: Any, /, **arguments: Any) -> Any:
    """The answer of a call, or None if what it asks about does not exist."""
    try:
        return call(**arguments)
    except ClientError as error:
        if code(error) in MISSING:
            return None
        raise


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """All items of a list operation."""
    return [
        item for page in client.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])
    ]
