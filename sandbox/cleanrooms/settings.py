"""Every switch of the clean room, read from ``SANDBOX_CLEANROOMS_*`` when the service starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "SANDBOX_CLEANROOMS_"


@dataclass(frozen=True)
class Settings:
    """What a person can change about the clean room; each field is ``SANDBOX_CLEANROOMS_<FIELD>``.

    Where AWS documents nothing, the default is the reading that ``docs/fidelity.md`` names.
    """

    # Rule violations: "sync" answers StartProtectedQuery with a ValidationException; "async" accepts the
    # query, which then goes from SUBMITTED to FAILED with MALFORMED_QUERY and never starts.
    violations: str = "sync"
    # Seconds that a query stays SUBMITTED, and stays STARTED, at least: for tests of waiting and cancelling.
    submitted_seconds: float = 0.0
    started_seconds: float = 0.0
    # A query that runs longer ends as TIMED_OUT; the service allows 24 hours.
    time_limit_seconds: float = 24 * 3600.0
    # Memory and threads of one query's process; beyond the memory DuckDB spills to disk.
    memory_limit: str = "2GB"
    threads: int = 2
    # Rows of one object of a result, unless singleFileOutput asks for one object.
    part_rows: int = 1_000_000
    # Unfinished queries that one membership may have (a hard quota of the service).
    concurrent_queries: int = 5
    # Billing: units = CRPU x hours, with this minimum per query. Rates and the minimum are not public.
    minimum_billed_seconds: float = 60.0
    # Calls per second and operation: "unlimited", or "documented" (5, of some operations 20), beyond which
    # a call is throttled.
    request_rates: str = "unlimited"
    # DeleteConfiguredTable while associations exist: "allow" (as the guide says) or "conflict" (409).
    delete_table_in_use: str = "allow"
    # Seconds that the clean room's clock is ahead at the start; POST /_sandbox/clock changes it.
    clock_ahead_seconds: float = 0.0
    # Seed of the rehearsal's noise under differential privacy; empty: each query's own id.
    noise_seed: str = ""

    def __post_init__(self) -> None:
        _one_of("violations", self.violations, ("sync", "async"))
        _one_of("request_rates", self.request_rates, ("unlimited", "documented"))
        if self.part_rows < 1:
            raise ValueError(f"{PREFIX}PART_ROWS must be at least 1, not {self.part_rows}")
        _one_of("delete_table_in_use", self.delete_table_in_use, ("allow", "conflict"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the variables that are set.

        :raises ValueError: a value that is not of its field's kind; names the variable
        """
        given: dict[str, str | int | float] = {}
        for field in fields(cls):
            variable = PREFIX + field.name.upper()
            if variable in environment:
                given[field.name] = _typed(variable, environment[variable], type(field.default))
        return cls(**given)  # type: ignore[arg-type]


def _typed(variable: str, text: str, kind: type) -> str | int | float:
    try:
        value: str | int | float = kind(text)
    except ValueError:
        raise ValueError(f"{variable} must be of type {kind.__name__}, not {text!r}") from None
    return value


def _one_of(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{PREFIX}{field.upper()} must be one of {', '.join(choices)}, not {value!r}")
