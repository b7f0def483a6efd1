"""Units of work: what one Python worker reads by itself, and what it found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from cleanrooms.spark.plans import PlanSource


@dataclass
class UnitFacts:
    """Counts of one unit, for the driver; never values.

    :ivar rows: rows in it, good and bad
    :ivar reasons: why rows were bad, by ``column:kind``
    :ivar identity: values without a canonical form, by ``column:reason``
    :ivar good: rows that went into the recipe
    """

    unit: int
    rows: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    identity: dict[str, int] = field(default_factory=dict)
    good: int = 0

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> UnitFacts:
        return cls(**json.loads(text))

    def count_bad(self, reasons: Counter[str]) -> None:
        """Add reasons of bad rows."""
        self.reasons = dict(Counter(self.reasons) + reasons)


class Reader(Protocol):
    """Reads units; it travels to the executors, so it holds names and settings only.

    ``len()`` is the number of units. The same unit always gives the same rows.
    """

    @property
    def parts(self) -> int:
        """Tasks among which the units are divided, in order."""

    def __len__(self) -> int: ...

    def plan(self, unit: int) -> PlanSource:
        """The recipe for the unit's rows."""

    def read(self, unit: int, facts: UnitFacts) -> Iterator[pa.RecordBatch]:
        """Rows of a unit, in order; what is not handed on is counted in ``facts``."""


@dataclass(frozen=True)
class Tables:
    """Small tables that travel with the job, one or more units each with a recipe of its own.

    For vectors and tests: rows of real people are read where they are used.
    """

    tables: tuple[pa.Table, ...]
    recipes: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def parts(self) -> int:
        return min(len(self), 4)

    def plan(self, unit: int) -> PlanSource:
        recipe: PlanSource = self.recipes[unit if len(self.recipes) > 1 else 0]
        return recipe

    def read(self, unit: int, facts: UnitFacts) -> Iterator[pa.RecordBatch]:
        table = self.tables[unit]
        facts.rows = table.num_rows
        yield from table.to_batches()
