"""Runs the worker as a process that can be ended at once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.cleanrooms.engine.failures import INSUFFICIENT_COMPUTE, INTERNAL_ERROR, QueryFailed

log = logging.getLogger(__name__)
_WORKER = Path(__file__).with_name("worker.py")
_PAUSE_SECONDS = 0.02
_KILLED = -9


def run_worker(job: dict[str, Any], still_wanted: Callable[[], None]) -> int:
    """Runs one job and returns the number of rows of its result.

    :param job: see :mod:`sandbox.cleanrooms.engine.worker`; ``folder`` is the query's own
    :param still_wanted: called all the time; raises to end the process
    :raises QueryFailed: the worker said so, or died
    """
    folder = Path(job["folder"])
    description = folder / "job.json"
    description.write_text(json.dumps(job), encoding="utf-8")
    with (folder / "worker.err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER), str(description)],
            stdin=subprocess.PIPE,  # never written to: it closes when this process dies, and so ends the child
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={"HOME": str(folder), "LANG": "C.UTF-8"},
        )
    try:
        while process.poll() is None:
            still_wanted()
            time.sleep(_PAUSE_SECONDS)
        assert process.stdout is not None
        return _answer(process.stdout.read(), process.returncode)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _answer(line: bytes, status: int) -> int:
    if status == _KILLED:
        raise QueryFailed(INSUFFICIENT_COMPUTE, "The query's process was ended by the machine.")
    if status != 0 or not line:
        log.error("a query's process ended with status %s", status)
        raise QueryFailed(INTERNAL_ERROR, "The sandbox's query engine failed.")
    answer = json.loads(line)
    if "failed" in answer:
        raise QueryFailed(answer["failed"], answer["message"])
    return int(answer["rows"])
