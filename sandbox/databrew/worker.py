"""The process that runs one recipe on one dataset, by the recipe engine of the project.

It reads a job (JSON) from its first argument's file and the keys from its standard input, writes the outputs'
files into the job's folder and prints one line of JSON: ``{"files": [[…], …]}`` by output, or
``{"failed": text}``. When its standard input closes, its parent is gone and it ends.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from cleanrooms.errors import CleanRoomsError
from cleanrooms.identity import SecretKey
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.actions import ACTIONS
from sandbox.databrew.tables import UnreadableInput, read, write


class Failed(Exception):
    """Ends the job; the text names no value."""


def run(job: Mapping[str, Any], keys: Mapping[str, str]) -> list[list[str]]:
    """Runs the job and returns the files of each output.

    :param job: ``steps``, ``files``, ``format``, ``options``, ``outputs``, ``rows_per_file``, ``folder``
    :raises Failed: with what becomes the run's ErrorMessage
    """
    recipe = Recipe.parse(job["steps"])
    for step in recipe.steps:
        if ACTIONS[step.operation].refused:
            raise Failed(
                f"Step {step.number}: the local AWS cannot run the action {step.operation}; "
                "AWS Glue DataBrew can."
            )

    def secret(name: str, /) -> SecretKey:
        return SecretKey(base64.b64decode(keys[name]), "service")

    try:
        table = read(job["files"], job["format"], job["options"])
        plan = recipe.compile(table.schema, secret, tolerant=True, whole_table=True)
        batches = table.combine_chunks().to_batches()
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
        result = pa.Table.from_batches([plan.apply(batch)])
    except (CleanRoomsError, UnreadableInput) as problem:
        raise Failed(getattr(problem, "what", str(problem))) from None
    folder = Path(job["folder"])
    return [
        write(result, output, folder / f"out{number}", job["rows_per_file"])
        for number, output in enumerate(job["outputs"])
    ]


def _watch_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Runs the job named on the command line."""
    keys = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch_parent, daemon=True).start()
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    answer: dict[str, Any]
    try:
        answer = {"files": run(job, keys)}
    except Failed as problem:
        answer = {"failed": str(problem)}
    print(json.dumps(answer), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
