"""boto3 clients of the sandbox on its own endpoint, for the parts that act on an account's behalf."""

from __future__ import annotations

import os
import threading
from functools import cache, lru_cache
from typing import Any

import boto3
from botocore.config import Config

INTERNAL_USER_AGENT = "sandbox-internal"  # marks calls that the sandbox makes on itself
ROOT_SECRET = "test"  # the fixed secret of every account's root key in the sandbox

_lock = threading.Lock()


def use_endpoint(url: str) -> None:
    """Makes ``url`` the endpoint of every client made from here on."""
    os.environ["AWS_ENDPOINT_URL"] = url


def endpoint() -> str:
    """Returns the endpoint in use.

    :raises LookupError: neither :func:`use_endpoint` nor ``AWS_ENDPOINT_URL`` named one
    """
    url = os.environ.get("AWS_ENDPOINT_URL", "")
    if not url:
        raise LookupError("no sandbox endpoint is known: set AWS_ENDPOINT_URL or call use_endpoint()")
    return url


def root_client(service: str, account: str, region: str) -> Any:
    """Returns a boto3 client with the root key of ``account``; clients are cached and thread-safe.

    :param account: the 12 digits, which are the access key as well
    """
    # Making a client is not thread-safe in boto3; using one is.
    with _lock:
        return _client(service, account, region, endpoint())


@lru_cache(maxsize=256)
def _client(service: str, account: str, region: str, url: str) -> Any:
    config = Config(
        retries={"mode": "standard", "max_attempts": 3},
        user_agent_extra=INTERNAL_USER_AGENT,
        s3={"addressing_style": "path"},
        max_pool_connections=32,
    )
    return _session().client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key=ROOT_SECRET,
        config=config,
    )


@cache
def _session() -> Any:
    """One for all: the service models, slow to load, are kept by the session."""
    return boto3.session.Session()
