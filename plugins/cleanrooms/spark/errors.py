"""Errors on their way from a Python worker to the driver, without anything that Spark would log.

Spark repeats what a worker raises in logs, in its web page and in the job's error. So a worker leaves the error
as a file of the run's staging and raises a sentence that says nothing; the driver raises the real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pyarrow as pa

from cleanrooms import errors
from cleanrooms.errors import CleanRoomsError, PermanentError, TransientError
from cleanrooms.spark.staging import Staging

Batches = Iterator[pa.RecordBatch]
FOLDER = "errors"


class Stopped(Exception):
    """The job has an error already; which, says its staging."""


def told(
    staging: Staging, place: str, function: Callable[[Batches], Batches]
) -> Callable[[Batches], Batches]:
    """A worker's function whose errors go to the staging.

    :param place: names the function's error among others; the first by name is the one that counts
    """

    def run(batches: Batches) -> Batches:
        if staging.names(FOLDER):  # a second attempt would only fail like the first
            raise Stopped("the job has failed; its error is in its staging")
        try:
            yield from function(batches)
        except Exception as error:
            staging.put(f"{FOLDER}/{place}.json", to_json(meaning(error)))
        else:
            return
        raise Stopped("the job has failed; its error is in its staging")

    return run


def left(staging: Staging) -> CleanRoomsError | None:
    """The error that workers left, if any: that of the first place."""
    for name in staging.names(FOLDER):
        with staging.reading(name) as file:
            return from_json(file.read())
    return None


def to_json(error: CleanRoomsError) -> bytes:
    """An error as text: its kind by name, and its sentences."""
    known = next(k for k in type(error).__mro__ if getattr(errors, k.__name__, None) is k)
    return json.dumps({"kind": known.__name__, "what": error.what, "todo": error.todo}).encode()


def from_json(text: bytes) -> CleanRoomsError:
    """Inverse of :func:`to_json`."""
    found = json.loads(text)
    kind: type[CleanRoomsError] = getattr(errors, found["kind"], PermanentError)
    return kind(found["what"], found["todo"])


def meaning(error: Exception) -> CleanRoomsError:
    """The error that an exception in a job's process means; what a library says may quote rows and is cut."""
    from cleanrooms.aws.meaning import from_aws

    if isinstance(error, FileNotFoundError):
        return TransientError("A part of the job's staging is gone.", "Clear the task: the day is run again.")
    try:
        return from_aws(error, getattr(error, "operation_name", "A call to AWS"), "our account")
    except Exception:
        return PermanentError(
            f"A process of the job failed ({type(error).__name__}).",
            "Look for the processes' memory in the job's metrics; if it was enough, this is a defect: report it.",
        )
