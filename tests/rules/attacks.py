"""Generated attacks: a query is written, judged and, when it is accepted, run on rows that give leaks away."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import duckdb

from cleanrooms.rules import check
from tests.rules import attacked_mapping, attacked_mixed, attacked_plain, attacked_private
from tests.rules.attacked import Kind, NotRun, WrongShape
from tests.rules.support import OURS

KINDS: dict[str, Kind] = {
    **attacked_plain.kinds(),
    **attacked_private.kinds(),
    **attacked_mapping.kinds(),
    **attacked_mixed.kinds(),
}
REFUSED, NOT_RUN, HARMLESS, LEAKED = "refused", "not run", "harmless", "leaked"


@dataclass(frozen=True)
class Outcome:
    """What became of an attack.

    :param end: ``refused``; accepted and ``not run``, since the engine could not; ``harmless``; or ``leaked``
    :param leak: what came out, of which query
    """

    end: str
    leak: str = ""


def database(kind: str) -> duckdb.DuckDBPyConnection:
    """The rows that attacks of a kind run on; nothing changes them."""
    return KINDS[kind].database()


def attack(random: Random, kind: str, connection: duckdb.DuckDBPyConnection) -> Outcome:
    """Judge one generated query and run it when it is accepted."""
    return attempt(KINDS[kind].writer(random).text(), kind, connection)


def attempt(text: str, kind: str, connection: duckdb.DuckDBPyConnection) -> Outcome:
    """Judge a query and run it when it is accepted."""
    attacked = KINDS[kind]
    verdict = check(text, attacked.tables, runner=OURS, receivers=[OURS])
    if not verdict.accepted or verdict.sql is None:
        return Outcome(REFUSED)
    try:
        leak = attacked.leak(verdict, connection)
    except NotRun:
        return Outcome(NOT_RUN)
    except WrongShape as problem:
        leak = str(problem)
    return Outcome(LEAKED, f"{leak}: {text}\n{verdict.sql}") if leak else Outcome(HARMLESS)
