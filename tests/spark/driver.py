"""A Spark driver in a process of its own, which runs functions of the tests: one per Spark version and test run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.spark import PYTHON, environment


class SparkFailed(Exception):
    """The function raised something that cannot travel; carries its traceback."""


class Driver:
    """The process, as tests see it.

    :ivar folder: where its event log, its temporary files and its log lie
    """

    def __init__(self, version: str, folder: Path, more: Mapping[str, str]) -> None:
        self.version, self.folder = version, folder
        for name in ("events", "tmp", "spark"):
            (folder / name).mkdir()
        self.log = folder / "driver.log"
        command = [str(PYTHON), "-m", "tests.spark.driver", str(folder)]
        own = {"TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": ""}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            env={**environment(version), **own, **more},
        )

    def __call__(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The result of ``function(spark, …)`` there; what it raises is raised here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        name = f"{function.__module__}:{function.__qualname__}"
        pickle.dump((name, arguments, named), self._process.stdin)
        self._process.stdin.flush()
        try:
            result, error = pickle.load(self._process.stdout)
        except EOFError:
            raise SparkFailed(self.log.read_text()[-4000:]) from None
        if error is not None:
            raise error
        return result

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()


def settings(folder: Path) -> dict[str, str]:
    """Settings of the tests' session: everything that could leak is written down."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.eventLog.compress": "false",
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.shuffle.partitions": "3",
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder / 'tmp'}",
    }


def main(folder: Path) -> None:
    import pkgutil

    from cleanrooms.spark import session

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Spark prints is no answer
    tempfile.tempdir = None
    spark = session.local(settings=settings(folder))
    while True:
        try:
            name, arguments, named = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            answer = pkgutil.resolve_name(name)(spark, *arguments, **named), None
        except Exception as error:
            answer = None, _portable(error)
        pickle.dump(answer, answers)
        answers.flush()
    spark.stop()


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SparkFailed("".join(traceback.format_exception(error)))
    return error


if __name__ == "__main__":
    main(Path(sys.argv[1]))
