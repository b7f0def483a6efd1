"""The hygiene gate: keys that would join strangers, or that got lost, stop a publication.

Judged after hashing, on digests only: how many rows of a day have no key, whether a key is the digest of a text
that stands for nothing, how many rows own one key, and how far all that fell behind the days before.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import polars as pl
import pyarrow as pa

from cleanrooms.errors import ConfigError
from cleanrooms.identity.columns import METADATA
from cleanrooms.identity.owners import Owners
from cleanrooms.identity.placeholders import digests_of_nothing

Keys = Callable[[str], Sequence[Any]]
"""Secret keys of an epoch, as the digests' metadata names it."""


@dataclass(frozen=True)
class Limits:
    """What one key column may show; shares are of the day's rows, from 0 to 1.

    :param max_rows_per_key: rows that may own one key; more, and it is no person's
    :param max_null_rise: by how much the share of nulls may be above that of the runs before
    """

    max_null_share: float = 0.9
    max_placeholder_share: float = 0.0
    max_rows_per_key: int = 10_000
    max_null_rise: float = 0.3


@dataclass(frozen=True)
class Facts:
    """What a day's keys look like: plain counts for reports and for the gate of later days.

    :ivar rows: rows to be published; ``dropped``: rows that the recipe removed, often for want of a key
    :ivar nulls: rows without a key, by column; ``placeholders``: rows with the digest of nothing
    :ivar most_rows: rows of the key that most rows own; beyond ``owners.EXACT_ROWS`` at most so many
    """

    rows: int
    nulls: dict[str, int]
    placeholders: dict[str, int]
    most_rows: dict[str, int]
    dropped: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """Inverse of :meth:`to_dict`."""
        return cls(**data)


@dataclass(frozen=True)
class Look:
    """One batch as the gate sees it: counts, and a 64-bit hash of each key. Holds no key."""

    rows: int
    dropped: int
    nulls: dict[str, int]
    placeholders: dict[str, int]
    hashes: dict[str, pl.Series]


class Gate:
    """Counts the keys of a day's batches, and judges them at the end.

    Memory does not grow with the day: at most 40 MiB per key column (see :class:`Owners`).

    :param schema: of the prepared batches; columns with identity metadata are key columns
    :param named: further key columns, such as digests that the source delivers
    :param keys: gives the keys with which placeholders are hashed to know their digests
    :raises ConfigError: a named column is not in the schema, or is neither text nor binary
    """

    def __init__(self, schema: pa.Schema, keys: Keys, named: Sequence[str] = ()) -> None:
        if strange := sorted(set(named) - set(schema.names)):
            raise ConfigError(
                f"The hygiene section names columns that the recipe does not leave: {', '.join(strange)}.",
                f"Name some of {', '.join(schema.names)}.",
            )
        for name in named:
            kind = schema.field(name).type
            if not (pa.types.is_string(kind) or pa.types.is_binary(kind)):
                raise ConfigError(
                    f"The hygiene section names column {name}, which holds {kind} and no digests.",
                    "Name columns of digests only.",
                )
        hashed = {f.name: json.loads(f.metadata[METADATA]) for f in schema if METADATA in (f.metadata or {})}
        self.columns = [name for name in schema.names if name in hashed or name in named]
        self._nothing = {
            name: digests_of_nothing(hashed.get(name, {}), keys, schema.field(name).type)
            for name in self.columns
        }
        self._nothing_hashes = {n: values.hash().implode() for n, values in self._nothing.items()}
        self._owners = {name: Owners() for name in self.columns}
        self._rows = self._dropped = 0
        self._nulls: Counter[str] = Counter()
        self._placeholders: Counter[str] = Counter()

    def look(self, batch: pa.RecordBatch, rows_before: int) -> Look:
        """What there is to count in a batch; changes nothing, so threads may look at several at once.

        :param rows_before: rows of the batch before the recipe
        """
        nulls, placeholders, hashes = {}, {}, {}
        for name in self.columns:
            values = pl.Series(name, pl.from_arrow(batch.column(name)))
            nulls[name] = values.null_count()
            values = values.drop_nulls() if nulls[name] else values
            hashes[name] = values.hash()
            # By hash first: most batches have none, and comparing numbers is cheaper than comparing texts.
            suspects = values.filter(hashes[name].is_in(self._nothing_hashes[name]))
            placeholders[name] = int(suspects.is_in(self._nothing[name].implode()).sum())
        # A recipe that unnests makes rows: none is dropped then.
        return Look(batch.num_rows, max(rows_before - batch.num_rows, 0), nulls, placeholders, hashes)

    def add(self, look: Look) -> None:
        """Count a batch that was looked at."""
        self._rows += look.rows
        self._dropped += look.dropped
        self._nulls.update(look.nulls)
        self._placeholders.update(look.placeholders)
        for name, hashes in look.hashes.items():
            self._owners[name].add(hashes)

    def facts(self) -> Facts:
        """Counts of all batches so far."""
        return Facts(
            self._rows,
            {name: self._nulls[name] for name in self.columns},
            {name: self._placeholders[name] for name in self.columns},
            {name: self._owners[name].most() for name in self.columns},
            self._dropped,
        )


def judge(
    facts: Facts,
    limits: Callable[[str], Limits],
    *,
    max_dropped_share: float,
    max_row_fall: float,
    min_rows: int,
    previous: Sequence[Facts] = (),
) -> list[str]:
    """What is wrong with a day's keys, one sentence with its numbers each; empty when nothing is.

    :param limits: those of a column
    :param max_dropped_share: share of the rows that the recipe may remove
    :param max_row_fall: share by which rows may fall below the median of ``previous``
    :param min_rows: shares of fewer rows say nothing and are not judged
    :param previous: facts of runs before, in any order
    """
    problems = []
    given = facts.rows + facts.dropped
    if given >= max(min_rows, 1) and facts.dropped / given > max_dropped_share:
        problems.append(
            f"the recipe dropped {facts.dropped} of {given} rows "
            f"({facts.dropped / given:.1%}, allowed {max_dropped_share:.1%})"
        )
    usual = median(p.rows for p in previous) if previous else 0
    if usual >= min_rows and (fall := 1 - facts.rows / usual) > max_row_fall:
        problems.append(
            f"rows fell by {fall:.1%} to {facts.rows} from a median of {usual:.0f} (allowed {max_row_fall:.1%})"
        )
    for name in facts.nulls:
        problems += _judge_column(name, facts, limits(name), min_rows, previous)
    return problems


def _judge_column(
    name: str, facts: Facts, limits: Limits, min_rows: int, previous: Sequence[Facts]
) -> list[str]:
    nothing, most = facts.placeholders[name], facts.most_rows[name]
    problems = []
    if facts.rows and nothing / facts.rows > limits.max_placeholder_share:
        problems.append(
            f"{name}: {nothing} of {facts.rows} keys are digests of placeholders or of nothing "
            f"({nothing / facts.rows:.2%}, allowed {limits.max_placeholder_share:.2%})"
        )
    if most > limits.max_rows_per_key:
        problems.append(f"{name}: {most} rows own one key (allowed {limits.max_rows_per_key})")
    if facts.rows < min_rows:
        return problems
    share = facts.nulls[name] / facts.rows
    if share > limits.max_null_share:
        problems.append(
            f"{name}: {facts.nulls[name]} of {facts.rows} rows have no key "
            f"({share:.1%}, allowed {limits.max_null_share:.1%})"
        )
    before = [p.nulls[name] / p.rows for p in previous if p.rows >= min_rows and name in p.nulls]
    if before and (rise := share - median(before)) > limits.max_null_rise:
        problems.append(
            f"{name}: rows without a key rose to {share:.1%} from a median of {median(before):.1%} "
            f"(allowed rise {limits.max_null_rise:.1%}, seen {rise:.1%})"
        )
    return problems
