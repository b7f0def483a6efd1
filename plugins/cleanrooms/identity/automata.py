"""Regular expressions and what is built of them as deterministic automata: tables that one pass over a text follows.

Only what decides texts as a whole is here: an automaton gives a label to every text over its symbols. Patterns are
parsed by Python's own parser, made deterministic by the subset construction and minimised by Moore's algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import numpy as np

MOST_STATES = 20_000


class NoAutomaton(Exception):
    """None is made: too many states, or a pattern with more than alternatives, classes and repetitions."""


@dataclass(frozen=True)
class Automaton:
    """State 0 is the start.

    :ivar symbols: the characters that it reads, each once
    :ivar table: next state by state and symbol
    :ivar labels: what a text is that ends in the state
    """

    symbols: str
    table: np.ndarray
    labels: tuple[Hashable, ...]

    def label(self, text: str) -> Hashable:
        """What a text over the symbols is."""
        state = 0
        for character in text:
            state = self.table[state, self.symbols.index(character)]
        return self.labels[state]


def matching(pattern: str, symbols: str) -> Automaton:
    """Labels texts True that the whole pattern matches.

    :param pattern: in Python's syntax; ``$`` may end an alternative, whatever stands behind it
    :raises NoAutomaton: as it says
    """
    reader = _Reader(symbols)
    reader.join(reader.follow(_parser.parse(pattern), _Reader.START), _Reader.END)
    start = reader.closed({_Reader.START})
    return _explored(symbols, start, reader.step, lambda states: _Reader.END in states)


def counting(symbols: str, most: int, of: str) -> Automaton:
    """Labels texts with how many of some symbols they have, ``most`` where there are more."""
    counts = range(most + 1)
    table = [[min(n + (symbol in of), most) for symbol in symbols] for n in counts]
    return Automaton(symbols, np.array(table), tuple(counts))


def behind(text: str, then: Automaton, otherwise: Hashable) -> Automaton:
    """Labels what begins with a text by what follows it, and the rest with ``otherwise``."""
    lost, shift = len(text), len(text) + 1
    table = [[lost] * len(then.symbols) for _ in range(shift)]
    for place, character in enumerate(text):
        table[place][then.symbols.index(character)] = place + 1 if place + 1 < lost else shift
    if not text:
        return then
    labels = [otherwise] * shift
    return Automaton(then.symbols, np.vstack([table, then.table + shift]), (*labels, *then.labels))


def together(parts: Sequence[Automaton], label: Callable[..., Hashable]) -> Automaton:
    """All parts at once; ``label`` makes one label of theirs.

    :raises NoAutomaton: more than :data:`MOST_STATES`
    """
    tables = [part.table.tolist() for part in parts]

    def step(states: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        return zip(*(table[state] for table, state in zip(tables, states, strict=True)), strict=True)

    def labelled(states: tuple[int, ...]) -> Hashable:
        return label(*(part.labels[state] for part, state in zip(parts, states, strict=True)))

    return _explored(parts[0].symbols, (0,) * len(parts), step, labelled)


class _Reader:
    """States and moves of a pattern that is read, not yet deterministic (Thompson's construction)."""

    START, END = 0, 1

    def __init__(self, symbols: str) -> None:
        self._symbols = symbols
        self._moves: list[list[tuple[frozenset[int], int]]] = [[], []]
        self._free: list[list[int]] = [[], []]

    def state(self) -> int:
        """A new state."""
        self._moves.append([])
        self._free.append([])
        return len(self._moves) - 1

    def join(self, at: int, into: int) -> None:
        """Let a state be followed by another without a symbol."""
        self._free[at].append(into)

    def follow(self, parsed: Any, at: int) -> int:
        """Add what was parsed behind a state; returns the state after it."""
        for kind, what in parsed:
            name = str(kind)
            if name == "SUBPATTERN":
                at = self.follow(what[3], at)
            elif name == "BRANCH":
                before, at = at, self.state()
                for alternative in what[1]:
                    self.join(self.follow(alternative, before), at)
            elif name in ("MAX_REPEAT", "MIN_REPEAT"):
                at = self._repeated(what[0], what[1], what[2], at)
            elif name == "AT" and str(what) == "AT_END":
                self.join(at, self.END)
                at = self.state()
            else:
                into = self.state()
                self._moves[at].append((self._taken(name, what), into))
                at = into
        return at

    def _repeated(self, least: int, most: Any, parsed: Any, at: int) -> int:
        for _ in range(least):
            at = self.follow(parsed, at)
        after = self.state()
        if str(most) == "MAXREPEAT":
            self.join(at, after)
            self.join(self.follow(parsed, after), after)
            return after
        for _ in range(int(most) - least):
            self.join(at, after)
            at = self.follow(parsed, at)
        self.join(at, after)
        return after

    def _taken(self, name: str, what: Any) -> frozenset[int]:
        """Which symbols a single step takes."""
        every = frozenset(range(len(self._symbols)))
        if name == "ANY":
            return every
        if name in ("LITERAL", "NOT_LITERAL"):
            taken = {place for place in every if ord(self._symbols[place]) == what}
            return frozenset(taken if name == "LITERAL" else every - taken)
        if name != "IN":
            raise NoAutomaton(f"A pattern has {name}, which is not read here.")
        found: set[int] = set()
        for kind, value in what:
            if str(kind) == "LITERAL":
                found |= {place for place in every if ord(self._symbols[place]) == value}
            elif str(kind) == "RANGE":
                found |= {place for place in every if value[0] <= ord(self._symbols[place]) <= value[1]}
            elif str(value) == "CATEGORY_DIGIT":
                found |= {place for place in every if self._symbols[place].isdecimal()}
            elif str(kind) != "NEGATE":
                raise NoAutomaton(f"A pattern has a class with {value}, which is not read here.")
        return every - found if str(what[0][0]) == "NEGATE" else frozenset(found)

    def closed(self, states: set[int]) -> frozenset[int]:
        """States and all that follow them without a symbol."""
        waiting = list(states)
        while waiting:
            for each in self._free[waiting.pop()]:
                if each not in states:
                    states.add(each)
                    waiting.append(each)
        return frozenset(states)

    def step(self, states: frozenset[int]) -> list[frozenset[int]]:
        """The states after each symbol."""
        reached: list[set[int]] = [set() for _ in self._symbols]
        for each in states:
            for taken, into in self._moves[each]:
                for place in taken:
                    reached[place].add(into)
        return [self.closed(found) for found in reached]


def _explored(
    symbols: str, start: Any, step: Callable[[Any], Any], label: Callable[[Any], Hashable]
) -> Automaton:
    """The automaton of all states that are reached, minimised."""
    places, states, table = {start: 0}, [start], []
    for state in states:
        row = []
        for into in step(state):
            if into not in places:
                if len(states) >= MOST_STATES:
                    raise NoAutomaton(f"An automaton has more than {MOST_STATES} states.")
                places[into] = len(states)
                states.append(into)
            row.append(places[into])
        table.append(row)
    return _minimised(symbols, np.array(table), [label(state) for state in states])


def _minimised(symbols: str, table: np.ndarray, labels: list[Hashable]) -> Automaton:
    """States from which the same texts get the same labels made one."""
    blocks, first = _numbered(labels)
    while True:
        # A state's block, and those of the states after it, side by side and as one value.
        rows = np.column_stack([blocks, blocks[table]]).astype(np.int32)
        refined, first_refined = _numbered(rows.view(f"V{rows.strides[0]}").ravel().tolist())
        if len(first_refined) == len(first):
            return Automaton(symbols, blocks[table[first]], tuple(labels[i] for i in first))
        blocks, first = refined, first_refined


def _numbered(values: list[Hashable]) -> tuple[np.ndarray, list[int]]:
    """Equal values as equal numbers, in the order in which they come, and the place where each comes first."""
    numbers: dict[Hashable, int] = {}
    found = np.array([numbers.setdefault(each, len(numbers)) for each in values])
    return found, np.unique(found, return_index=True)[1].tolist()
