"""A real Airflow on this machine: its environment, its four services, and its REST API."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tools import process

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    # The log servers on 8793 and 8794 serve remote workers; here logs are read from disk.
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
USER = "admin"


def environment(home: Path, port: int, database: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Environment of all Airflow processes: settings as variables, secrets from a private file."""
    private = _secrets(home)
    url = f"http://127.0.0.1:{port}"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "AWS_", "PYTHON"))}
    return {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": private["fernet"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": private["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": private["jwt"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "10",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **extra,
    }


def _secrets(home: Path) -> dict[str, str]:
    """Keys of this installation, made once and readable by its owner only."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "secrets.json"
    if not path.exists():
        made = {
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt": secrets.token_urlsafe(48),
            "api": secrets.token_urlsafe(32),
            "password": secrets.token_urlsafe(12),
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump(made, file)
        with os.fdopen(os.open(home / "passwords.json", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            json.dump({USER: made["password"]}, file)
    return dict(json.loads(path.read_text()))


def password(home: Path) -> str:
    """Password of the user ``admin`` in the UI."""
    return _secrets(home)["password"]


def command(*arguments: str) -> list[str]:
    """An Airflow command, run by this interpreter."""
    return [sys.executable, "-m", "airflow", *arguments]


def migrate(env: Mapping[str, str]) -> None:
    """Create or upgrade Airflow's tables, and the pools that the DAGs name."""
    for arguments in (["db", "migrate"], ["pools", "import", str(ROOT / "include" / "pools.json")]):
        done = subprocess.run(command(*arguments), env=dict(env), capture_output=True, text=True, check=False)
        if done.returncode:
            raise process.StackError(
                f"airflow {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )


class API:
    """The REST API of a running Airflow, as a person's script would use it."""

    def __init__(self, port: int, home: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._home = home
        self._client = httpx.Client(base_url=self.url, timeout=60)

    def healthy(self) -> bool:
        """All four services report a recent heartbeat."""
        try:
            answer = self._client.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return False
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return answer.is_success and all(answer.json()[part]["status"] == "healthy" for part in parts)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call below ``/api/v2``; answers the parsed JSON.

        :raises StackError: the API refused, with its words
        """
        if "Authorization" not in self._client.headers:
            self._login()
        answer = self._client.request(method, f"/api/v2{path}", **options)
        if answer.status_code == 401:
            self._login()
            answer = self._client.request(method, f"/api/v2{path}", **options)
        if not answer.is_success:
            raise process.StackError(
                f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:500]}"
            )
        return answer.json() if answer.content else None

    def _login(self) -> None:
        answer = self._client.post("/auth/token", json={"username": USER, "password": password(self._home)})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def wait_for_dags(self, dag_ids: set[str], seconds: float = 600) -> None:
        """Wait until the DAG processor has read these DAGs.

        :raises StackError: an import error, or a DAG that does not appear
        """
        end = time.monotonic() + seconds
        while True:
            errors = self.call("GET", "/importErrors")["import_errors"]
            if errors:
                raise process.StackError("\n".join(f"{e['filename']}: {e['stack_trace']}" for e in errors))
            known = {dag["dag_id"] for dag in self.call("GET", "/dags?limit=200")["dags"]}
            if dag_ids <= known:
                return
            if time.monotonic() > end:
                raise process.StackError(
                    f"Airflow does not show the DAGs {', '.join(sorted(dag_ids - known))}."
                )
            time.sleep(0.5)

    def backfill(
        self, dag_id: str, first: str, last: str, *, max_active_runs: int = 3, again: bool = False
    ) -> int:
        """Start a backfill (first and last are run dates, ISO 8601); answers its id."""
        answer = self.call(
            "POST",
            "/backfills",
            json={
                "dag_id": dag_id,
                "from_date": first,
                "to_date": last,
                "max_active_runs": max_active_runs,
                "reprocess_behavior": "completed" if again else "none",
                "run_backwards": False,
                "dag_run_conf": {},
            },
        )
        return int(answer["id"])

    def backfilling(self, dag_id: str) -> bool:
        """Whether a backfill of a DAG is open: until it is closed Airflow refuses another one."""
        known = self.call("GET", f"/backfills?dag_id={dag_id}&limit=100")["backfills"]
        return any(backfill["completed_at"] is None for backfill in known)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG."""
        return list(self.call("GET", f"/dags/{dag_id}/dagRuns?limit=200&order_by=run_after")["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """All task instances of a run."""
        return list(
            self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=500")["task_instances"]
        )
