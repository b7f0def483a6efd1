"""The hygiene gate of a source: its thresholds, and the keys whose placeholder digests it looks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from cleanrooms.errors import HygieneError
from cleanrooms.identity import SecretKey
from cleanrooms.identity.hygiene import Facts, Gate, Limits, judge

if TYPE_CHECKING:
    from cleanrooms.config.source import Source
    from cleanrooms.sources.secrets import SecretStore


class KeyRing:
    """Passes secrets on to a recipe and remembers which epochs it asked for."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._given: dict[str, SecretKey] = {}

    def __call__(self, name: str, /) -> SecretKey:
        return self._given.setdefault(name, self._secrets(name))

    def of_epoch(self, epoch: str) -> list[SecretKey]:
        """Keys of that epoch that the recipe was given."""
        return [key for key in self._given.values() if key.epoch == epoch]


def passed(source: Source, day: date, gate: Gate, previous: Sequence[Facts] = ()) -> Facts:
    """What the gate counted, if the keys of the day may be published.

    :raises HygieneError: they may not; names every count and its limit
    """
    facts, hygiene = gate.facts(), source.hygiene

    def limits(column: str) -> Limits:
        of = hygiene.of(column)
        return Limits(of.max_null_share, of.max_placeholder_share, of.max_rows_per_key, of.max_null_rise)

    problems = judge(
        facts,
        limits,
        max_dropped_share=hygiene.max_dropped_share,
        max_row_fall=hygiene.max_row_fall,
        min_rows=hygiene.min_rows,
        previous=previous,
    )
    if problems:
        raise HygieneError(
            f"The keys of source {source.name} on {day} failed the hygiene gate: {'; '.join(problems)}. "
            "Nothing was published.",
            "Look for what changed at the sender; if it is right, raise the threshold under hygiene in the "
            "source's file and run the day again.",
            **facts.to_dict(),
        )
    return facts
