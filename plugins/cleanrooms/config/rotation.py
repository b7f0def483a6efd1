"""Model of a key rotation: the epochs of a hashing key, and the days on which each is live.

Days are days of data, the partitions' ``dt``, and never the clock of a run: a backfill gives the keys of its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import Field, field_validator, model_validator

from cleanrooms.config.base import Model

NEXT, PREVIOUS = "next", "previous"


class Epoch(Model):
    """One key of a rotation. All but the first name the days on which it follows the one before.

    A key stands in a secret of its own, or in a version of one secret that carries a staging label of yours:
    AWS's own labels move with every rotation, so that a backfill would take another key.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$", description="name that both partners use")
    secret: str | None = Field(None, min_length=1, description="secret with the key; default: the recipe's")
    stage: str | None = Field(None, min_length=1, max_length=256, description="staging label of its version")
    overlap_from: date | None = Field(
        None, description="first day with keys of this epoch and the one before"
    )
    switch_on: date | None = Field(None, description="first day on which the key column is of this epoch")
    overlap_until: date | None = Field(None, description="first day without keys of the epoch before")
    retired: bool = Field(
        False, description="whether the key is gone: days ingested again get the next epoch"
    )

    @field_validator("stage")
    @classmethod
    def _stays(cls, value: str | None) -> str | None:
        if value is not None and value.upper().startswith("AWS"):
            raise ValueError(
                f"{value} moves with every rotation, so that a backfill would hash with another key; put a "
                "staging label of your own on the version (aws secretsmanager update-secret-version-stage)"
            )
        return value

    @property
    def dates(self) -> tuple[date | None, date | None, date | None]:
        return self.overlap_from, self.switch_on, self.overlap_until


@dataclass(frozen=True)
class Live:
    """The epochs of one day: that of the key column, and one beside it in a column with the suffix."""

    main: Epoch
    other: Epoch | None = None
    suffix: str = ""


class Epochs(Model):
    """Epochs of one key, oldest first."""

    epochs: tuple[Epoch, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _one_after_the_other(self) -> Epochs:
        first, *rest = self.epochs
        if any(first.dates):
            raise ValueError(f"epoch {first.name} is the first, so it has no days; remove its dates")
        if twice := _twice([e.name for e in self.epochs]):
            raise ValueError(f"two epochs are called {twice}; give each a name of its own")
        until: date | None = None
        for epoch in rest:
            until = _in_order(epoch, until)
        if self.epochs[-1].retired:
            raise ValueError(f"epoch {self.epochs[-1].name} is the last, so it cannot be retired")
        kept = [epoch.retired for epoch in self.epochs]
        if kept != sorted(kept, reverse=True):
            raise ValueError(
                "epochs are retired oldest first; a newer one is retired here before an older one"
            )
        return self

    def on(self, day: date) -> Live:
        """Epochs of a day's keys. A retired epoch's place takes the oldest that is not."""
        live = self._planned(day)
        main = live.main
        if main.retired:
            main = next(epoch for epoch in self.epochs if not epoch.retired)
        if live.other is None or live.other.retired or live.other is main:
            return Live(main)
        return Live(main, live.other, live.suffix)

    def _planned(self, day: date) -> Live:
        current = self.epochs[0]
        for epoch in self.epochs[1:]:
            start, switch, end = epoch.dates
            assert start is not None and switch is not None and end is not None  # noqa: PT018 - validated
            if day < start:
                break
            if day < switch:
                return Live(current, epoch, NEXT)
            if day < end:
                return Live(epoch, current, PREVIOUS)
            current = epoch
        return Live(current)


class Rotation(Epochs):
    """The epochs of one of our hashing keys."""

    secret: str = Field(min_length=1, description="secretId of the recipe's CRYPTOGRAPHIC_HASH")

    @model_validator(mode="after")
    def _keys_differ(self) -> Rotation:
        if _twice([f"{e.secret or self.secret} {e.stage or ''}" for e in self.epochs]):
            raise ValueError("two epochs have the same key; name another secret or stage for each")
        return self


class PartnerRotation(Epochs):
    """The epochs of a partner's key columns, as agreed: dates and names, no keys."""

    columns: tuple[str, ...] = Field(min_length=1, description="key columns that follow the plan")

    @field_validator("epochs")
    @classmethod
    def _without_keys(cls, value: tuple[Epoch, ...]) -> tuple[Epoch, ...]:
        if named := next((e.name for e in value if e.secret or e.stage), ""):
            raise ValueError(
                f"epoch {named} of a partner names a secret; leave secret and stage out, names are enough"
            )
        return value

    def name_of(self, column: str, day: date) -> str | None:
        """Name of the epoch of a column on a day; None where the plan says nothing of it, or that it is absent."""
        live = self.on(day)
        if column in self.columns:
            return live.main.name
        beside = live.suffix and column.removesuffix(f"_{live.suffix}")
        return live.other.name if live.other and beside != column and beside in self.columns else None

    def concerns(self, column: str) -> bool:
        """Whether the column is one of the plan's, or one that stands beside it in an overlap."""
        names = {column, column.removesuffix(f"_{NEXT}"), column.removesuffix(f"_{PREVIOUS}")}
        return bool(names & set(self.columns))


def _in_order(epoch: Epoch, after: date | None) -> date:
    start, switch, end = epoch.dates
    if start is None or switch is None or end is None:
        raise ValueError(f"epoch {epoch.name} needs overlap_from, switch_on and overlap_until")
    if not start < switch <= end:
        raise ValueError(
            f"epoch {epoch.name} has its days out of order: overlap_from {start} must be before switch_on {switch}, "
            f"and overlap_until {end} not before it"
        )
    if after is not None and start < after:
        raise ValueError(
            f"epoch {epoch.name} begins on {start}, while the overlap before it lasts until {after}; "
            "three epochs are never live at once: move overlap_from"
        )
    return end


def _twice(names: list[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
