"""Runs the worker as a process that can be ended at once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.databrew.rights import RunFailed

log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.02


def run_worker(
    job: Mapping[str, Any], keys: Mapping[str, str], folder: Path, still_wanted: Callable[[], None]
) -> list[list[str]]:
    """Runs one recipe and returns the files of each output.

    :param job: see :mod:`sandbox.databrew.worker`
    :param keys: in base64, by secret; they go through a pipe and touch no file
    :param still_wanted: called all the time; raises to end the process
    :raises RunFailed: the worker said so, or died
    """
    description = folder / "job.json"
    description.write_text(json.dumps({**job, "folder": str(folder)}), encoding="utf-8")
    with (folder / "worker.err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.databrew.worker", str(description)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={
                "HOME": str(folder),
                "LANG": "C.UTF-8",
                "POLARS_MAX_THREADS": "2",
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # Left open: it closes when this process dies, and so ends the child.
        process.stdin.write(json.dumps(dict(keys)).encode() + b"\n")
        process.stdin.flush()
        while process.poll() is None:
            still_wanted()
            time.sleep(_PAUSE_SECONDS)
        return _answer(process.stdout.read(), process.returncode, folder)
    except BrokenPipeError:
        raise RunFailed("The job's process ended before it began.") from None
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            pipe.close()


def _answer(line: bytes, status: int, folder: Path) -> list[list[str]]:
    if status != 0 or not line:
        said = (folder / "worker.err").read_text(errors="replace").strip().splitlines()[-1:]
        # The last line of a traceback may quote a value: only the kind of the exception is told.
        kind = said[0].split(":")[0] if said else "no message"
        log.error("a DataBrew job's process ended with status %s (%s)", status, kind)
        raise RunFailed("The job's process was ended by the machine.")
    answer = json.loads(line)
    if "failed" in answer:
        raise RunFailed(answer["failed"])
    files: list[list[str]] = answer["files"]
    return files
