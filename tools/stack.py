"""The whole stack on one machine: PostgreSQL, the sandbox, Airflow. Started, watched and stopped here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from tools import airflow, postgres, process

ROOT = airflow.ROOT
REGION = "us-east-1"
Say = Callable[[str], None]
# A busy machine takes minutes; a service that ended is told at once.
_HEALTHY_SECONDS = 600


@dataclass
class Stack:
    """One stack under a folder of its own.

    :param folder: everything it writes lives here
    :param airflow_port, sandbox_port: TCP ports on 127.0.0.1; 0 takes free ones
    """

    folder: Path
    airflow_port: int = 0
    sandbox_port: int = 0
    say: Say = print
    extra_env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.airflow_port = self.airflow_port or process.free_port()
        self.sandbox_port = self.sandbox_port or process.free_port()
        self.logs = self.folder / "services"
        self.home = self.folder / "airflow"
        self.api = airflow.API(self.airflow_port, self.home)

    @property
    def endpoint(self) -> str:
        """The sandbox's endpoint, for ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def crm_uri(self) -> str:
        """libpq URI of the example's CRM database."""
        return postgres.uri(self._socket, "crm")

    def up(self, days: tuple[date, date]) -> None:
        """Start everything and set the example up for a range of days.

        :raises StackError: says what does not start, with the end of its log
        """
        if self.logs.exists() and any(
            process.alive(path.stem, self.logs) for path in self.logs.glob("*.pid")
        ):
            raise process.StackError(f"A stack runs already from {self.folder.name}/: `make down` ends it.")
        process.require_free(self.airflow_port, "Airflow", "AIRFLOW_PORT")
        process.require_free(self.sandbox_port, "the local AWS", "SANDBOX_PORT")
        self.say("starting PostgreSQL and the local AWS")
        self._socket = postgres.start(self.folder / "postgres")
        database = postgres.create_database(self._socket, "airflow")
        postgres.create_database(self._socket, "crm")
        self._start_sandbox()
        self.say(
            "creating Airflow's database; meanwhile setting up the example (people, CRM, exports, partner)"
        )
        env = self._airflow_env(database.replace("postgresql://", "postgresql+psycopg2://"))
        with ThreadPoolExecutor() as pool:
            migrating = pool.submit(airflow.migrate, env)
            account = self._set_up_example(days)
            env.update(self._connections(account))
            migrating.result()
        self.say("starting Airflow (API server, scheduler, DAG processor, triggerer)")
        for name, arguments in airflow.SERVICES.items():
            process.start(name, airflow.command(*arguments), env, self.logs)
        self._wait_healthy()
        (self.folder / "stack.json").write_text(
            json.dumps({"airflow": self.airflow_port, "sandbox": self.sandbox_port})
        )

    def down(self) -> None:
        """Stop everything that was started from this folder; harmless when nothing runs."""
        names = [path.stem for path in self.logs.glob("*.pid")]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: process.stop(name, self.logs), names))
        postgres.stop(self.folder / "postgres")

    def clean(self) -> None:
        """Stop everything and delete what it wrote."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def memory(self) -> int:
        """Bytes of memory of all processes (PSS), PostgreSQL excepted."""
        return process.memory(self.logs)

    def client(self, service: str, account: str) -> Any:
        """A boto3 client of the sandbox with the root key of an account."""
        import boto3

        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )

    def _start_sandbox(self) -> None:
        data = self.folder / "sandbox"
        arguments = ["-m", "sandbox", "serve", "--port", str(self.sandbox_port), "--data", str(data)]
        process.start("sandbox", [sys.executable, *arguments], self._python_env(), self.logs)

        def ready() -> bool:
            if not process.alive("sandbox", self.logs):
                raise process.StackError(f"The local AWS ended:\n{process.tail('sandbox', self.logs)}")
            try:
                return httpx.get(f"{self.endpoint}/_sandbox/health", timeout=2).is_success
            except httpx.TransportError:
                return False

        process.wait_until("The local AWS", ready, 300)

    def _set_up_example(self, days: tuple[date, date]) -> dict[str, str]:
        """Run the example's set-up as its own program; answers ids and Airflow's access key."""
        out = self.folder / "example.json"
        arguments = [
            "setup",
            "--from",
            str(days[0]),
            "--to",
            str(days[1]),
            "--crm",
            self.crm_uri,
            "--out",
            str(out),
        ]
        child = subprocess.Popen(
            [sys.executable, "-m", "examples", *arguments],
            env={**self._python_env(), "AWS_ENDPOINT_URL": self.endpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line.rstrip())
            self.say(f"  {line.rstrip()}")
        if child.wait():
            raise process.StackError("Setting the example up failed:\n" + "\n".join(lines[-15:]))
        return dict(json.loads(out.read_text()))

    def _python_env(self) -> dict[str, str]:
        """Environment of the project's own programs."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_"))}
        return {**env, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", "PYTHONUNBUFFERED": "1", **self.extra_env}

    def _airflow_env(self, database: str) -> dict[str, str]:
        aws = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The default of 30 s is meant for the service. Much less than 5 s, and Airflow may resume a task before
            # its scheduler has booked the deferral, which then counts as a lost try.
            "CLEANROOMS_POLL_SECONDS": "5",
            "CLEANROOMS_RETRY_SECONDS": "5",
        }
        return airflow.environment(self.home, self.airflow_port, database, {**aws, **self.extra_env})

    def _connections(self, account: dict[str, str]) -> dict[str, str]:
        """Airflow connections as variables: the AWS user of the example, and the CRM."""
        aws = {
            "conn_type": "aws",
            "login": account["access_key_id"],
            "password": account["secret_access_key"],
            "extra": {"region_name": REGION},
        }
        crm = {"conn_type": "postgres", "host": self._socket, "login": "postgres", "schema": "crm"}
        return {
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
            "AIRFLOW_CONN_CRM": json.dumps(crm),
        }

    def _wait_healthy(self) -> None:
        end = time.monotonic() + _HEALTHY_SECONDS
        while not self.api.healthy():
            for name in airflow.SERVICES:
                if not process.alive(name, self.logs):
                    raise process.StackError(f"Airflow's {name} ended:\n{process.tail(name, self.logs)}")
            if time.monotonic() > end:
                raise process.StackError(
                    f"Airflow is not healthy after {_HEALTHY_SECONDS} s; logs are in {self.logs}."
                )
            time.sleep(0.5)
