"""Carries job runs through their states, each in a thread of its own.

``STARTING -> RUNNING -> SUCCEEDED | FAILED | TIMEOUT``, ``STARTING | RUNNING -> STOPPING -> STOPPED``. Every
step is one transaction that names the states it leaves, so a stop and an end at the same moment cannot both win.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.cleanrooms.state import Document, Store
from sandbox.databrew import inputs, names, outputs
from sandbox.databrew.child import run_worker
from sandbox.databrew.rights import RoleRights, RunFailed
from sandbox.databrew.secrets import keys_of
from sandbox.databrew.settings import Settings

log = logging.getLogger(__name__)
UNFINISHED = ("STARTING", "RUNNING", "STOPPING")
_PAUSE_SECONDS = 0.02


class _Stopped(Exception):
    """StopJobRun, or the end of the sandbox."""


class _TimedOut(Exception):
    """The job's Timeout passed."""


class JobRunner:
    """Runs the jobs of one store."""

    def __init__(self, store: Store, settings: Settings, workspace: Path | None) -> None:
        """Finds interrupted runs and ends them as FAILED.

        :param workspace: folder for what runs fetch, emptied first; a temporary one for ``None``
        """
        self._store = store
        self._settings = settings
        self._stops: dict[str, threading.Event] = {}
        self._closing = threading.Event()
        self._temporary = None if workspace else tempfile.TemporaryDirectory(prefix="databrew-")
        place = Path(self._temporary.name) if self._temporary else workspace
        assert place is not None
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700, parents=True)
        self._workspace = place
        for run in store.find("run"):
            self._end(run["id"], UNFINISHED, "FAILED", ErrorMessage="The service was restarted.")

    def start(self, identifier: str) -> None:
        """Starts a run that the store holds as STARTING."""
        self._stops[identifier] = threading.Event()
        threading.Thread(target=self._run, args=(identifier,), daemon=True).start()

    def stop(self, identifier: str) -> Document | None:
        """Begins to stop a run and returns it, ``None`` when it has ended."""
        changed = self._move(identifier, ("STARTING", "RUNNING"), State="STOPPING")
        if changed and (event := self._stops.get(identifier)):
            event.set()
        return changed

    def close(self) -> None:
        """Ends all processes; the runs are found interrupted at the next start."""
        self._closing.set()
        shutil.rmtree(self._workspace, ignore_errors=True)

    def _run(self, identifier: str) -> None:
        run = self._store.get("run", identifier)
        assert run is not None
        folder = self._workspace / run["RunId"]
        active = ("STARTING", "RUNNING")
        try:
            self._attempts(run, folder)
        except RunFailed as failure:
            self._end(identifier, active, "FAILED", ErrorMessage=str(failure))
        except _TimedOut:
            minutes = run["_job"]["Timeout"]
            self._end(
                identifier,
                active,
                "TIMEOUT",
                ErrorMessage=f"The job run exceeded its timeout of {minutes} minutes.",
            )
        except _Stopped:
            pass  # the state says STOPPING, and the end below follows from it
        except Exception:
            if not self._closing.is_set():
                log.exception("DataBrew job run %s failed", run["RunId"])
                self._end(identifier, active, "FAILED", ErrorMessage="The local AWS failed.")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if not self._closing.is_set():
                if self._stops[identifier].is_set():
                    self._closing.wait(self._settings.stopping_seconds)
                self._end(identifier, ("STOPPING",), "STOPPED")
            self._stops.pop(identifier, None)

    def _attempts(self, run: Document, folder: Path) -> None:
        stop = self._stops[run["id"]]
        minutes = run["_job"].get("Timeout") or 2880
        limit = time.monotonic() + self._settings.starting_seconds + minutes * self._settings.minute_seconds

        def still_wanted() -> None:
            if stop.is_set() or self._closing.is_set():
                raise _Stopped
            if time.monotonic() > limit:
                raise _TimedOut

        _wait(self._settings.starting_seconds, still_wanted)
        if not self._move(run["id"], ("STARTING",), State="RUNNING"):
            raise _Stopped
        for attempt in range(1, run["_job"]["MaxRetries"] + 2):
            self._move(run["id"], ("RUNNING",), Attempt=attempt)
            try:
                return self._work(run, folder, still_wanted)
            except RunFailed:
                if attempt > run["_job"]["MaxRetries"]:
                    raise
        return None

    def _work(self, run: Document, folder: Path, still_wanted: Callable[[], None]) -> None:
        job, region = run["_job"], run["_region"]
        began, started = time.monotonic(), run["StartedOn"]
        rights = RoleRights(job["RoleArn"], job["ResourceArn"])
        rights.check_trust()
        outputs.check(job, rights, started)
        keys = keys_of(run["_steps"], rights, job["_owner"], region)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        files, reading = inputs.fetch(run["_dataset"], rights, folder, region, still_wanted)
        written_files = run_worker(
            {
                **reading,
                "files": files,
                "steps": run["_steps"],
                "outputs": job["Outputs"],
                "rows_per_file": self._settings.rows_per_file,
            },
            keys,
            folder,
            still_wanted,
        )
        _wait(self._settings.running_seconds - (time.monotonic() - began), still_wanted)
        written: list[tuple[str, str]] = []
        for number, parts in enumerate(written_files):
            still_wanted()
            written += outputs.deliver(job, number, parts, rights, region, started)
        if not self._end(run["id"], ("RUNNING",), "SUCCEEDED"):
            outputs.withdraw(written, job["_owner"], region)

    def _end(self, identifier: str, leaving: tuple[str, ...], state: str, **more: Any) -> Document | None:
        return self._move(identifier, leaving, State=state, CompletedOn=names.now(), **more)

    def _move(self, identifier: str, leaving: tuple[str, ...], **changes: Any) -> Document | None:
        with self._store.transaction():
            run = self._store.get("run", identifier)
            if run is None or run["State"] not in leaving:
                return None
            return self._store.save("run", run | changes)


def _wait(seconds: float, still_wanted: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    still_wanted()
    while time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        still_wanted()
