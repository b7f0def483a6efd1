"""Workers of a query: how many the service gives to SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import refusals

# ``WorkerComputeConfiguration.number`` of the API says so in words; its numbers are those of all analyses.
MOST_FOR_SQL = 400


def check_workers(compute: Mapping[str, Any] | None) -> None:
    """Lets pass a ``computeConfiguration`` that a query can have.

    :raises ServiceFault: ValidationException
    """
    number = ((compute or {}).get("worker") or {}).get("number")
    if number is not None and number > MOST_FOR_SQL:
        raise refusals.field_invalid(
            "computeConfiguration.worker.number", f"SQL queries take at most {MOST_FOR_SQL} workers"
        )
