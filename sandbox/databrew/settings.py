"""Every switch of the local DataBrew, read from ``SANDBOX_DATABREW_*`` when the service starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "SANDBOX_DATABREW_"


@dataclass(frozen=True)
class Settings:
    """What a person can change; each field is ``SANDBOX_DATABREW_<FIELD>``.

    The quotas are those of the service's page "Quotas" as remembered, not read: ``docs/fidelity.md`` says so.
    """

    # Seconds that a run stays STARTING, RUNNING and STOPPING, at least: for tests of waiting and stopping.
    starting_seconds: float = 0.0
    running_seconds: float = 0.0
    stopping_seconds: float = 0.0
    # A job's Timeout counts in minutes of so many seconds.
    minute_seconds: float = 60.0
    # Rows of one output file, as far as the output's MaxOutputFiles allows more files.
    rows_per_file: int = 1_000_000
    concurrent_runs: int = 10
    recipes: int = 100
    recipe_versions: int = 100
    datasets: int = 100
    jobs: int = 100

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the variables that are set.

        :raises ValueError: a value that is not of its field's kind; names the variable
        """
        given: dict[str, int | float] = {}
        for field in fields(cls):
            variable = PREFIX + field.name.upper()
            if variable in environment:
                kind: type = type(field.default)
                try:
                    given[field.name] = kind(environment[variable])
                except ValueError:
                    raise ValueError(
                        f"{variable} must be of type {kind.__name__}, not {environment[variable]!r}"
                    ) from None
        return cls(**given)  # type: ignore[arg-type]
