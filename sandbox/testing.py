"""A sandbox for tests: ``with running() as aws: aws.client("s3")``.

A real server in a process of its own on a free port, spoken to by real boto3 clients.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sandbox.clients import ROOT_SECRET

ACCOUNT = "111122223333"
PARTNER = "444455556666"
REGION = "us-east-1"

_ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    """A running sandbox; ``endpoint`` is what ``AWS_ENDPOINT_URL`` takes."""

    def __init__(self, endpoint: str, process: subprocess.Popen[str]) -> None:
        self.endpoint = endpoint
        self.process = process
        # One session: making clients is slow where each loads the models again.
        self._session: Any = boto3.session.Session()
        self._clients: dict[str, Any] = {}

    def client(
        self,
        service: str,
        account: str = ACCOUNT,
        region: str = REGION,
        credentials: Mapping[str, str] | None = None,
        **config: Any,
    ) -> Any:
        """Returns a boto3 client; the same one for the same arguments.

        :param account: whose root key signs, unless there are ``credentials``
        :param credentials: ``AccessKeyId``, ``SecretAccessKey`` and, for a role's, ``SessionToken``, as
            STS and IAM return them
        :param config: for botocore's ``Config``; calls are not retried unless it says so
        """
        keys = credentials or {"AccessKeyId": account, "SecretAccessKey": ROOT_SECRET}
        signed = tuple(keys.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        wanted = repr((service, region, signed, sorted(config.items())))
        if wanted not in self._clients:
            self._clients[wanted] = self._session.client(
                service,
                endpoint_url=self.endpoint,
                aws_access_key_id=signed[0],
                aws_secret_access_key=signed[1],
                aws_session_token=signed[2],
                region_name=region,
                config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
            )
        return self._clients[wanted]

    def assume(self, role_arn: str, name: str = "test") -> dict[str, Any]:
        """Returns a session's credentials of a role that trusts its own account."""
        sts = self.client("sts", account=role_arn.split(":")[4])
        credentials: dict[str, Any] = sts.assume_role(RoleArn=role_arn, RoleSessionName=name)["Credentials"]
        return credentials

    def role(
        self,
        name: str,
        *statements: Mapping[str, Any],
        account: str = ACCOUNT,
        trust: Any = None,
        condition: Mapping[str, Any] | None = None,
    ) -> str:
        """Makes a role with an inline policy of ``statements`` and returns its ARN.

        :param trust: the principal that may assume it; its own account unless given
        :param condition: of the trust, such as an external id
        """
        iam = self.client("iam", account=account)
        principal = trust or {"AWS": account}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        if condition:
            statement["Condition"] = condition
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(statement))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=_policy(*statements))
        return arn

    def crawled(self, name: str, account: str = ACCOUNT, timeout: float = 120.0) -> dict[str, Any]:
        """Waits until a crawler is ready and returns its ``LastCrawl``.

        :raises TimeoutError: it still runs after ``timeout`` seconds
        """
        glue, end = self.client("glue", account=account), time.monotonic() + timeout
        while (crawler := glue.get_crawler(Name=name)["Crawler"])["State"] != "READY":
            if time.monotonic() > end:
                raise TimeoutError(f"crawler {name} is {crawler['State']} after {timeout} seconds")
            time.sleep(0.02)
        last: dict[str, Any] = crawler["LastCrawl"]
        return last

    def faults(self, *faults: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Puts ``faults`` in place of all that were in force; none clears them. See :mod:`sandbox.faults`."""
        shown: list[dict[str, Any]] = self._ask("/_sandbox/faults", json.dumps(faults).encode())
        return shown

    def clock(self, ahead_seconds: float = 0.0) -> None:
        """Puts the clean room's clock ahead of the machine's; 0 puts it right. See :mod:`sandbox.clock`."""
        self._ask("/_sandbox/clock", json.dumps({"ahead_seconds": ahead_seconds}).encode())

    def end_sessions(self) -> int:
        """Lets the credentials of all assumed roles expire now; returns how many sessions there were."""
        return int(self._ask("/_sandbox/sessions", method="DELETE")["ended"])

    def audit(self, after: int = 0) -> list[dict[str, Any]]:
        """Returns the calls since call number ``after``, oldest first. See :mod:`sandbox.audit`."""
        calls: list[dict[str, Any]] = self._ask(f"/_sandbox/audit?after={after}")
        return calls

    def stop(self) -> int:
        """Ends the sandbox as SIGTERM does, state written, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def _ask(self, path: str, body: bytes | None = None, method: str | None = None) -> Any:
        request = urllib.request.Request(self.endpoint + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as problem:
            raise ValueError(json.load(problem)["error"]) from None


@contextlib.contextmanager
def running(
    port: int | None = None, data: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Sandbox]:
    """Starts a sandbox and stops it at the end.

    :param port: a free one unless given
    :param data: folder of its state; without one it starts empty and keeps nothing
    :param environment: more variables for the server's process
    :raises RuntimeError: it did not start; carries what it wrote on standard error
    """
    command = [sys.executable, "-m", "sandbox", "serve", "--port", str(port or 0)]
    if data is not None:
        command += ["--data", str(data)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(environment or {}),
    )
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("sandbox ready on "):
        raise RuntimeError(process.communicate(timeout=120)[1].strip())
    sandbox = Sandbox(line.removeprefix("sandbox ready on "), process)
    try:
        yield sandbox
    finally:
        sandbox.stop()
        process.communicate()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), **more}


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
