"""boto3 clients and secrets in the processes of a Spark job: driver and Python workers alike.

Everything here can be pickled and holds names only. Each process makes its clients and fetches its keys itself,
once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cleanrooms.identity import SecretKey
from cleanrooms.sources.secrets import SecretsManager


@cache
def client(service: str, region: str) -> Any:
    """A client with the credentials that the process has: those of the job's role."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 6})
    session: Any = boto3.session.Session(region_name=region)
    return session.client(service, config=config)


@dataclass(frozen=True)
class Secrets:
    """Keys of Secrets Manager, the same versions in every process of a job.

    A secret that is rotated while the job runs would otherwise hash one part of the day with another key.

    :param versions: version by request, as the driver was answered (see :class:`Pinned`); empty in the driver
    """

    region: str
    versions: tuple[tuple[str, str], ...] = ()

    def __call__(self, name: str, /, *, stage: str | None = None) -> SecretKey:
        """:raises ConfigError: there is no such secret, or the job's role may not read it"""
        return _store(self.region, self.versions)(name, stage=stage)


@cache
def _store(region: str, versions: tuple[tuple[str, str], ...]) -> SecretsManager:
    return SecretsManager(Pinned(client("secretsmanager", region), dict(versions)))  # type: ignore[arg-type]


class Pinned:
    """A client of Secrets Manager that asks for the versions it is told, and notes those that it was given."""

    def __init__(self, inner: Any, versions: Mapping[str, str] | None = None) -> None:
        self._inner = inner
        self.versions = dict(versions or {})

    def get_secret_value(self, **request: str) -> Any:
        asked = json.dumps(request, sort_keys=True)
        if asked in self.versions:
            request = {"SecretId": request["SecretId"], "VersionId": self.versions[asked]}
        answer = self._inner.get_secret_value(**request)
        self.versions[asked] = answer["VersionId"]
        return answer
