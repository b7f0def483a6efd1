"""Runs of Glue jobs: the job's own script, on a local PySpark, in the name of the job's role.

``STARTING -> RUNNING -> SUCCEEDED | FAILED | TIMEOUT``, ``STARTING | RUNNING -> STOPPING -> STOPPED``. Runs are kept
in memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.access import service_may_assume
from sandbox.clients import endpoint, root_client

SERVICE = "glue.amazonaws.com"
SPARKS = {"5.1": "3.5", "6.0": "4.1"}
"""Spark of each Glue version that can be run here (aws-glue-libs, README)."""
ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")
_PAUSE_SECONDS = 0.05
_SHOWN = ("GlueVersion", "WorkerType", "NumberOfWorkers", "Timeout")

Key = tuple[str, str, str]  # account, region, job
Session = Callable[[str, str], Mapping[str, str]]
"""Gives credentials for a role's ARN and the name of its session."""


class JobFailed(Exception):
    """A run cannot be carried out; its text becomes ``ErrorMessage``."""


class JobRuns:
    """Starts, stops and reports runs.

    :param session: makes credentials of a role that trusts Glue
    :param logs: folder for what the scripts print; dropped for ``None``
    """

    def __init__(self, session: Session, logs: Path | None) -> None:
        self._session = session
        self._logs = logs
        self._lock = threading.Lock()
        self._runs: dict[Key, list[dict[str, Any]]] = {}
        self._stops: dict[str, threading.Event] = {}
        self._closing = threading.Event()

    def start(self, account: str, region: str, job: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
        """Starts a run in a thread of its own and returns its id.

        :param job: the ``Job`` structure
        :param arguments: of this run, over the job's default ones
        """
        now = time.time()
        run: dict[str, Any] = {
            "Id": f"jr_{uuid.uuid4().hex}",
            "Attempt": 0,
            "JobName": job["Name"],
            "StartedOn": now,
            "LastModifiedOn": now,
            "JobRunState": "STARTING",
            "Arguments": dict(arguments),
            "ExecutionTime": 0,
            **{name: job[name] for name in _SHOWN if name in job},
        }
        with self._lock:
            self._runs.setdefault((account, region, job["Name"]), []).insert(0, run)
            self._stops[run["Id"]] = threading.Event()
        threading.Thread(target=self._run, args=(account, region, job, run), daemon=True).start()
        return str(run["Id"])

    def find(self, account: str, region: str, job: str, run_id: str) -> dict[str, Any] | None:
        """Returns a ``JobRun`` structure, ``None`` where there is no such run."""
        return next((run for run in self.all(account, region, job) if run["Id"] == run_id), None)

    def all(self, account: str, region: str, job: str) -> list[dict[str, Any]]:
        """Returns the ``JobRun`` structures of a job, the latest first."""
        with self._lock:
            return [dict(run) for run in self._runs.get((account, region, job), [])]

    def stop(self, account: str, region: str, job: str, run_id: str) -> bool:
        """Asks a run to end; returns whether it was there and had not ended."""
        with self._lock:
            for run in self._runs.get((account, region, job), []):
                if run["Id"] == run_id and run["JobRunState"] not in (*ENDED, "STOPPING"):
                    run["JobRunState"] = "STOPPING"
                    self._stops[run_id].set()
                    return True
        return False

    def close(self) -> None:
        """Ends the processes of all runs."""
        self._closing.set()
        end = time.monotonic() + 10
        while any(t.name.startswith("glue-job") and t.is_alive() for t in threading.enumerate()):
            if time.monotonic() > end:
                return
            time.sleep(_PAUSE_SECONDS)

    def _run(self, account: str, region: str, job: Mapping[str, Any], run: dict[str, Any]) -> None:
        threading.current_thread().name = f"glue-job {run['Id']}"
        end: dict[str, Any]
        try:
            with tempfile.TemporaryDirectory(prefix="glue-job-") as folder:
                end = self._work(Path(folder), account, region, job, run)
        except JobFailed as failure:
            end = {"JobRunState": "FAILED", "ErrorMessage": str(failure)}
        except Exception as problem:
            end = {
                "JobRunState": "FAILED",
                "ErrorMessage": f"The local AWS failed: {type(problem).__name__}.",
            }
        now = time.time()
        with self._lock:
            if self._stops[run["Id"]].is_set():
                end = {"JobRunState": "STOPPED"}
            run.update(end, CompletedOn=now, LastModifiedOn=now, ExecutionTime=int(now - run["StartedOn"]))

    def _work(
        self, folder: Path, account: str, region: str, job: Mapping[str, Any], run: dict[str, Any]
    ) -> dict[str, Any]:
        arguments = {**job.get("DefaultArguments", {}), **run["Arguments"]}
        source = {
            "aws:SourceAccount": account,
            "aws:SourceArn": f"arn:aws:glue:{region}:{account}:job/{job['Name']}",
        }
        if not service_may_assume(job["Role"], SERVICE, region, context=source):
            raise JobFailed(
                f"Service is unable to assume role {job['Role']}: its trust policy must allow {SERVICE}."
            )
        environment = _environment(job.get("GlueVersion", ""), folder)
        environment |= self._session(job["Role"], f"GlueJobRunnerSession-{run['Id'][-8:]}")
        environment |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "AWS_ENDPOINT_URL": endpoint()}
        s3 = root_client("s3", account, region)
        script = _fetched(s3, job["Command"]["ScriptLocation"], folder)
        libraries = [
            _fetched(s3, url, folder) for url in arguments.get("--extra-py-files", "").split(",") if url
        ]
        environment["PYTHONPATH"] = os.pathsep.join([environment["PYTHONPATH"], *map(str, libraries)])
        given = {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run["Id"], **arguments}
        command = [environment["PYSPARK_PYTHON"], str(script), *(w for pair in given.items() for w in pair)]
        limit = time.monotonic() + 60 * int(job.get("Timeout") or 2880)
        with self._log(run["Id"], folder).open("wb") as log:
            process = subprocess.Popen(  # in a group of its own: the script starts a Java and Python workers
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                env=environment, start_new_session=True,
            )  # fmt: skip
        try:
            with self._lock:
                if run["JobRunState"] == "STARTING":
                    run["JobRunState"] = "RUNNING"
            while process.poll() is None:
                if self._stops[run["Id"]].is_set() or self._closing.is_set():
                    return {"JobRunState": "STOPPED"}
                if time.monotonic() > limit:
                    minutes = job.get("Timeout")
                    return {
                        "JobRunState": "TIMEOUT",
                        "ErrorMessage": f"Exceeded the timeout of {minutes} minutes",
                    }
                time.sleep(_PAUSE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            return {"JobRunState": "FAILED", "ErrorMessage": f"SystemExit: {process.returncode}"}
        return {"JobRunState": "SUCCEEDED"}

    def _log(self, run_id: str, folder: Path) -> Path:
        if self._logs is None:
            return folder / "output.log"
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{run_id}.log"


def _environment(glue_version: str, folder: Path) -> dict[str, str]:
    """Variables of a Spark driver of this machine; nothing of the sandbox's own account."""
    from tools import spark

    version = SPARKS.get(glue_version)
    if version is None:
        raise JobFailed(f"Glue {glue_version} is not carried out here; {', '.join(SPARKS)} are.")
    if not (spark.FOLDER / version / ".installed").exists():
        raise JobFailed(
            f"The Spark {version} of Glue {glue_version} is not installed here: run `make spark`."
        )
    found = {name: value for name, value in spark.environment(version).items() if not name.startswith("AWS_")}
    return found | {
        "PYTHONPATH": str(spark.FOLDER / version),
        "PYTHONDONTWRITEBYTECODE": "",
        "TMPDIR": str(folder),
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false "
        f"--conf spark.local.dir={folder} --conf spark.sql.shuffle.partitions=4 pyspark-shell",
    }


def _fetched(s3: Any, url: str, folder: Path) -> Path:
    bucket, _, key = url.strip().removeprefix("s3://").partition("/")
    place = folder / key.rsplit("/", 1)[-1]
    try:
        place.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.ClientError as error:
        raise JobFailed(f"{url} cannot be read: {error.response['Error']['Code']}.") from None
    return place
