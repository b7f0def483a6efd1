"""The hashing keys of one day of a source: the epochs that its rotation plan has live on that day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from cleanrooms.errors import ConfigError
from cleanrooms.identity import SecretKey

if TYPE_CHECKING:
    from cleanrooms.config.rotation import Epoch, Live, Rotation
    from cleanrooms.config.source import Source
    from cleanrooms.sources.secrets import SecretStore


class KeyRing:
    """Gives a recipe the keys of a day, and remembers which it gave.

    :param day: of the data; the plan's dates are read against it and never against the clock
    """

    def __init__(self, source: Source, day: date, secrets: SecretStore) -> None:
        self._source, self._day, self._secrets = source, day, secrets
        self._plans: dict[str, Rotation] = {rotation.secret: rotation for rotation in source.rotation}
        self._given: dict[tuple[str, str], SecretKey] = {}
        self._asked: set[str] = set()

    def __call__(self, name: str, /) -> SecretKey:
        """The key of the day's main epoch.

        :raises ConfigError: it cannot be read
        """
        self._asked.add(name)
        live = self._live(name)
        if live is None:
            return self._given.setdefault((name, ""), self._secrets(name))
        return self._of(name, live.main)

    def other(self, name: str, /) -> tuple[str, SecretKey] | None:
        """Suffix and key of the second epoch that is live on the day, if there is one.

        :raises ConfigError: it cannot be read
        """
        live = self._live(name)
        if live is None or live.other is None:
            return None
        return live.suffix, self._of(name, live.other)

    def of_epoch(self, epoch: str) -> list[SecretKey]:
        """Keys of that epoch that the recipe was given."""
        return [key for key in self._given.values() if key.epoch == epoch]

    def check_used(self) -> None:
        """Refuse a plan for a secret that the recipe does not use: nothing would be rotated.

        :raises ConfigError: there is one
        """
        if idle := sorted(set(self._plans) - self._asked):
            used = ", ".join(sorted(self._asked)) or "none"
            raise ConfigError(
                f"{self._source.path.name}: field rotation: the recipe {self._source.recipe} does not hash with "
                f"{', '.join(idle)}; it uses {used}.",
                "Write secret as the recipe's secretId has it.",
            )

    def _live(self, name: str) -> Live | None:
        plan = self._plans.get(name)
        return None if plan is None else plan.on(self._day)

    def _of(self, name: str, epoch: Epoch) -> SecretKey:
        place = (name, epoch.name)
        if place not in self._given:
            self._given[place] = self._fetch(name, epoch).named(epoch.name)
            self._differ(name)
        return self._given[place]

    def _fetch(self, name: str, epoch: Epoch) -> SecretKey:
        try:
            if epoch.stage is None:
                return self._secrets(epoch.secret or name)
            return self._secrets(epoch.secret or name, stage=epoch.stage)
        except ConfigError as error:
            raise ConfigError(
                f"Source {self._source.name} on {self._day} needs the key of epoch {epoch.name}: {error.what}",
                f"{error.todo} If the key is gone for good, set retired: true on the epoch in "
                f"{self._source.path.name}: the day then gets the next epoch's keys, from its raw data only.",
            ) from None

    def _differ(self, name: str) -> None:
        """Two epochs with the same key bytes are a rotation that changed nothing."""
        given = [key.value for (secret, _), key in self._given.items() if secret == name]
        if len(set(given)) < len(given):
            raise ConfigError(
                f"Two epochs of the key {name!r} of source {self._source.name} have the same key.",
                "Store a new random key for the next epoch.",
            )
