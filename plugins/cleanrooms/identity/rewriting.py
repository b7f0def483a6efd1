"""Texts of whole columns rewritten by an automaton, or refused, where it is certain what becomes of them.

The others it leaves to the code that knows all of the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cleanrooms.identity import native
from cleanrooms.identity.automata import Automaton, NoAutomaton
from cleanrooms.identity.text import Reason

_MOST_PLACES = 1 << 16
"""In a table, whose numbers have 16 bits."""


class Action(NamedTuple):
    """What becomes of the characters that were kept.

    :ivar dropped: how many of the first are dropped, before the prefix is put in front
    """

    dropped: int
    prefix: str


@dataclass(frozen=True)
class Machine:
    """An automaton over the bytes of texts, for columns of them.

    :ivar REASONS: those that its tables number from -2 downwards
    """

    tables: native.Tables

    REASONS = tuple(Reason)

    @classmethod
    def of(cls, automaton: Automaton, *, silent: str, skipped: str = "") -> Machine:
        """An automaton whose labels are actions, reasons why there is no result, or None where it is not certain.

        Upper-case letters are read and kept as lower-case ones; of a text with other characters nothing is certain.

        :param silent: symbols that are read and not kept
        :param skipped: characters that are neither read nor kept
        :raises NoAutomaton: too large for a table
        """
        lost = len(automaton.table)
        nowhere = np.full(lost + 1, lost)
        moves = {
            ord(symbol): np.append(automaton.table[:, place], lost)
            for place, symbol in enumerate(automaton.symbols)
        }
        moves |= dict.fromkeys(map(ord, skipped), np.arange(lost + 1))
        kept = {byte: 0 if chr(byte) in silent + skipped else byte for byte in moves}
        for upper in range(ord("A"), ord("Z") + 1):
            if (lower := ord(chr(upper).lower())) in moves:
                moves[upper], kept[upper] = moves[lower], kept[lower]
        columns, classes = np.unique(
            [moves.get(byte, nowhere) for byte in range(256)], axis=0, return_inverse=True
        )
        if columns.size > _MOST_PLACES:
            raise NoAutomaton(f"A table has {columns.size} places, more than {_MOST_PLACES}.")
        actions = list(dict.fromkeys(label for label in automaton.labels if isinstance(label, Action)))
        lead = max((len(action.prefix) for action in actions), default=0)
        numbers: dict[Any, int] = {None: -1}
        numbers |= {action: number for number, action in enumerate(actions)}
        numbers |= {reason: -2 - number for number, reason in enumerate(cls.REASONS)}
        prefixes = (
            bytes([dropped, len(prefix)]) + prefix.encode("ascii").ljust(lead, b"\0")
            for dropped, prefix in actions
        )
        return cls(
            native.Tables(
                classes.reshape(-1).astype(np.uint8),
                np.array([kept.get(byte, 0) for byte in range(256)], np.uint8),
                (columns.T * len(columns)).astype(np.uint16).ravel(),
                np.array([*(numbers[label] for label in automaton.labels), -1], np.int16),
                b"".join(prefixes),
                len(columns),
                lead,
            )
        )

    def outcomes(
        self, values: pl.Series, longest: int, others: Callable[[pl.Series], pl.Series]
    ) -> pl.Series:
        """Results, the values of reasons, or null for null.

        :param values: String
        :param longest: bytes of a text that is looked at
        :param others: outcomes of the texts that are left
        """
        found, status = native.rewrite(values, self.tables, longest)
        for code in np.flatnonzero(np.bincount(status)[1:]) + 1:
            places = pl.Series(np.flatnonzero(status == code))
            left = code == 1
            outcome = others(values.gather(places)) if left else self.REASONS[code - 2].value
            found = found.scatter(places, outcome)
        return found

    def normalise(
        self, values: pl.Series, longest: int, others: Callable[[pl.Series], tuple[pl.Series, Counter[str]]]
    ) -> tuple[pl.Series, Counter[str]]:
        """Results or null, and how often each reason occurred.

        :param values: String
        :param longest: bytes of a text that is looked at
        :param others: the same for the texts that are left
        """
        found, status = native.rewrite(values, self.tables, longest)
        counts = np.bincount(status, minlength=2 + len(self.REASONS))
        reasons: Counter[str] = Counter()
        if counts[1]:
            left = pl.Series(np.flatnonzero(status == 1))
            more, reasons = others(values.gather(left))
            found = found.scatter(left, more)
        for reason, count in zip(self.REASONS, counts[2:].tolist(), strict=True):
            if count:
                reasons[reason.value] += count
        if values.null_count():
            reasons[Reason.MISSING.value] += values.null_count()
        return found, reasons
