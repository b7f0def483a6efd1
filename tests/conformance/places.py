"""Where the tests run: the local AWS, or two real accounts when their profiles are given."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from sandbox.testing import ACCOUNT, PARTNER, Sandbox, running

PREFIX = "CLEANROOMS_CONFORMANCE_"
PROFILES = (f"{PREFIX}PROFILE_A", f"{PREFIX}PROFILE_B")
REGION = "us-east-1"


class RefusedError(Exception):
    """The real accounts must not be used here; says why."""


@dataclass(frozen=True)
class Place:
    """Two accounts: ``brand`` runs queries and receives results, ``retailer`` contributes.

    :param sessions: one boto3 session per account of a real place; empty: the sandbox
    :param patience: seconds that a query may take; real ones start a cluster first
    """

    brand: str
    retailer: str
    region: str
    sandbox: Sandbox | None = None
    sessions: Mapping[str, Any] | None = None
    patience: float = 60
    pause: float = 0.05

    @property
    def real(self) -> bool:
        """Whether this costs money."""
        return self.sandbox is None

    def client(self, service: str, account: str, **_: Any) -> Any:
        """A client with the keys of one of the accounts."""
        if self.sandbox is not None:
            return self.sandbox.client(service, account=account)
        assert self.sessions is not None
        return self.sessions[account].client(service, region_name=self.region)

    def role(self, name: str, *statements: Mapping[str, Any], account: str, trust: Mapping[str, str]) -> str:
        """Makes a role with an inline policy called ``test``; returns its ARN."""
        iam = self.client("iam", account)
        statement = {"Effect": "Allow", "Principal": dict(trust), "Action": "sts:AssumeRole"}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(statement))
        iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=_policy(*statements))
        return str(made["Role"]["Arn"])

    def unique(self) -> str:
        """A name that nothing else has, and that says what made it."""
        return f"conformance-{uuid.uuid4().hex[:8]}"


def wanted(environment: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """The profiles of the two real accounts; None: the sandbox is wanted.

    :raises RefusedError: one profile is missing, both are the same, or this is a build server
    """
    given = [environment.get(name, "") for name in PROFILES]
    if not any(given):
        return None
    if environment.get("CI", "").lower() not in ("", "0", "false"):
        raise RefusedError("Real accounts are never used in CI: unset CI or the profiles.")
    if not all(given) or given[0] == given[1]:
        raise RefusedError(f"Two accounts are needed: set {' and '.join(PROFILES)} to different profiles.")
    return given[0], given[1]


@contextlib.contextmanager
def place(**settings: str) -> Iterator[Place]:
    """The place that the environment asks for.

    :param settings: of the sandbox, without ``SANDBOX_CLEANROOMS_``; a real service is as slow as it is
    """
    profiles = wanted()
    if profiles is not None:
        yield _real(*profiles)
        return
    environment = {f"SANDBOX_CLEANROOMS_{name.upper()}": value for name, value in settings.items()}
    with running(environment=environment) as aws:
        yield Place(ACCOUNT, PARTNER, REGION, sandbox=aws)


def _real(one: str, other: str) -> Place:
    region = os.environ.get(f"{PREFIX}REGION", REGION)
    sessions = {}
    for profile in (one, other):
        session = boto3.session.Session(profile_name=profile)
        sessions[session.client("sts", region_name=region).get_caller_identity()["Account"]] = session
    if len(sessions) != 2:
        raise RefusedError("Both profiles lead to the same account; two are needed.")
    brand, retailer = sessions
    return Place(brand, retailer, region, sessions=sessions, patience=1800, pause=5)


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
