"""Carries protected queries through their statuses, each in a thread of its own.

``SUBMITTED -> STARTED -> SUCCESS | FAILED | TIMED_OUT``, ``SUBMITTED | STARTED -> CANCELLING -> CANCELLED``;
a query that was refused after its submission goes from SUBMITTED to FAILED. Every step is one transaction
that names the status it leaves, so a cancel and an end at the same moment cannot both win.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from sandbox.cleanrooms import names
from sandbox.cleanrooms.engine import failures
from sandbox.cleanrooms.engine.billing import statistics
from sandbox.cleanrooms.engine.delivery import Destination, check_destination, deliver, withdraw
from sandbox.cleanrooms.engine.job import execute
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.engine.permissions import Runner
from sandbox.cleanrooms.engine.translate import Noise
from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.state import Document, Store

log = logging.getLogger(__name__)
UNFINISHED = ("SUBMITTED", "STARTED", "CANCELLING")
_PAUSE_SECONDS = 0.5


class QueryRunner:
    """Runs the queries of one store."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        workspace: Path | None,
        managed: ManagedStorage,
        ended: Callable[[Document], None] = lambda query: None,
    ) -> None:
        """Finds interrupted queries and ends them as FAILED.

        :param workspace: folder for what queries fetch, emptied first; a temporary one for ``None``
        :param ended: is told every query that has come to its end
        """
        self._ended = ended
        self._store = store
        self._settings = settings
        self._managed = managed
        self._cancelled: dict[str, threading.Event] = {}
        self._closing = threading.Event()
        self._submitted: SimpleQueue[str | None] = SimpleQueue()
        # Removed by the interpreter's exit, too.
        self._temporary = None if workspace else tempfile.TemporaryDirectory(prefix="cleanrooms-")
        place = Path(self._temporary.name) if self._temporary else workspace
        assert place is not None
        self._workspace = _fresh(place)
        self._end_interrupted()
        threading.Thread(target=self._dispatch, name="protected-queries", daemon=True).start()

    def start(self, identifier: str) -> None:
        """Starts a query that the store holds as SUBMITTED."""
        self._cancelled[identifier] = threading.Event()
        self._submitted.put(identifier)

    def cancel(self, identifier: str) -> Document | None:
        """Begins to cancel a query and returns it, ``None`` when it cannot be cancelled any more."""
        changed = self._move(identifier, ("SUBMITTED", "STARTED"), status="CANCELLING")
        if changed and (event := self._cancelled.get(identifier)):
            event.set()
        return changed

    def close(self) -> None:
        """Ends all processes; the queries are found interrupted at the next start."""
        self._closing.set()
        self._submitted.put(None)
        shutil.rmtree(self._workspace, ignore_errors=True)

    def _dispatch(self) -> None:
        """Gives every submitted query a thread: starting one waits for it, which no caller has to."""
        while (identifier := self._submitted.get()) is not None:
            threading.Thread(
                target=self._run, args=(identifier,), name=f"protected-query-{identifier}", daemon=True
            ).start()

    def _end_interrupted(self) -> None:
        for query in self._store.find("protected_query", status=UNFINISHED):
            error = {
                "code": failures.TRANSIENT_ERROR,
                "message": "The service was restarted while the query was in progress. Start it again.",
                "retryable": True,
            }
            self._end(query, UNFINISHED, "FAILED", _error=error)

    def _run(self, identifier: str) -> None:
        query = self._store.get("protected_query", identifier)
        assert query is not None
        folder = self._workspace / identifier
        try:
            self._work(query, folder)
        except failures.QueryFailed as failure:
            error = {"code": failure.code, "message": failure.message, "retryable": False}
            self._end(query, ("SUBMITTED", "STARTED"), "FAILED", _error=error)
        except failures.QueryTimedOut:
            self._end(query, ("STARTED",), "TIMED_OUT")
        except failures.QueryCancelled:
            pass  # the status says CANCELLING, and the end below follows from it
        except Exception:
            if not self._closing.is_set():
                log.exception("protected query %s failed", identifier)
                error = {
                    "code": failures.INTERNAL_ERROR,
                    "message": "The sandbox failed.",
                    "retryable": False,
                }
                self._end(query, ("SUBMITTED", "STARTED"), "FAILED", _error=error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if not self._closing.is_set():
                self._end(query, ("CANCELLING",), "CANCELLED")
            self._cancelled.pop(identifier, None)

    def _work(self, query: Document, folder: Path) -> None:
        cancelled, plan = self._cancelled[query["id"]], query["_plan"]
        limit = time.monotonic() + self._settings.submitted_seconds + self._settings.time_limit_seconds

        def still_wanted() -> None:
            if cancelled.is_set() or self._closing.is_set():
                raise failures.QueryCancelled
            if time.monotonic() > limit:
                raise failures.QueryTimedOut

        self._wait(query["id"], self._settings.submitted_seconds, still_wanted)
        if plan["refusal"]:
            raise failures.QueryFailed(failures.MALFORMED_QUERY, plan["refusal"])
        if not self._move(query["id"], ("SUBMITTED",), status="STARTED", _startTime=names.now()):
            raise failures.QueryCancelled
        started = time.monotonic()
        runner = Runner(query["membershipId"], query["membershipArn"])
        destinations = [Destination(**one) for one in plan["destinations"]]
        folders = [one.folder(plan["collaboration"], query["id"]) for one in destinations]
        for destination, key in zip(destinations, folders, strict=True):
            check_destination(destination, key, plan["region"], runner)
        folder.mkdir(mode=0o700)
        result = execute(
            plan["sql"],
            plan["columns"],
            plan["tables"],
            runner,
            folder,
            self._settings,
            self._managed,
            shapes=dict.fromkeys(one.shape for one in destinations),
            noise=self._noise(query),
            still_wanted=still_wanted,
        )
        held = self._settings.started_seconds - (time.monotonic() - started)
        self._wait(query["id"], held, still_wanted)
        if version := plan.get("version"):
            self._keep(query, version, result.rows)
            return
        written: list[tuple[Destination, list[str]]] = []
        try:
            for destination, key in zip(destinations, folders, strict=True):
                still_wanted()
                parts = result.parts[destination.shape]
                written.append((destination, deliver(destination, key, parts, plan["region"])))
            ended = self._end(query, ("STARTED",), "SUCCESS", result={"output": plan["output"]})
        except BaseException:
            self._withdraw(written, plan["region"])
            raise
        if not ended:
            self._withdraw(written, plan["region"])

    def _withdraw(self, written: list[tuple[Destination, list[str]]], region: str) -> None:
        for destination, keys in written:
            withdraw(destination, keys, region)

    def _keep(self, query: Document, version: str, rows: Path) -> None:
        """The end of a query that populates an intermediate table: the version has its rows from now on."""
        columns = self._managed.keep(version, rows)
        if not self._end(query, ("STARTED",), "SUCCESS", _columns=columns):
            self._managed.drop(version)

    def _noise(self, query: Document) -> Noise | None:
        scale = query["_plan"].get("noiseScale")
        return Noise(scale, self._settings.noise_seed or query["id"]) if scale else None

    def _wait(self, identifier: str, seconds: float, still_wanted: Any) -> None:
        """Holds a query in its status, for tests of waiting; a cancel ends it at once."""
        until = time.monotonic() + seconds
        still_wanted()
        while (left := until - time.monotonic()) > 0:
            self._cancelled[identifier].wait(min(left, _PAUSE_SECONDS))
            still_wanted()

    def _end(self, query: Document, leaving: tuple[str, ...], status: str, **more: Any) -> Document | None:
        with self._store.transaction():
            current = self._store.get("protected_query", query["id"]) or query
            numbers = statistics(current, names.now(), self._settings)
            moved = self._move(query["id"], leaving, status=status, statistics=numbers, **more)
        if moved is not None:
            self._ended(moved)
        return moved

    def _move(self, identifier: str, leaving: tuple[str, ...], **changes: Any) -> Document | None:
        with self._store.transaction():
            query = self._store.get("protected_query", identifier)
            if query is None or query["status"] not in leaving:
                return None
            return self._store.save("protected_query", query | changes)


def _fresh(workspace: Path) -> Path:
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(mode=0o700, parents=True)
    return workspace
