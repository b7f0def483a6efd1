"""What is attacked: tables with rows whose values tell whose they are, and what may not come out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from random import Random

import duckdb
import sqlglot

from cleanrooms.rules import Table, Verdict
from tests.rules.attackers import Attacker
from tests.rules.disguises import digests

MINIMUM = 3
PERSONS = 9
GUESSED = "prot-k1"
"""The value that attacks write themselves: its coming out again tells nothing."""
COLUMNS = {"key": "string", "amount": "bigint", "segment": "string", "region": "string", "note": "string"}
# Segments of five, three and one person; regions of eight and one.
SEGMENTS = ("wide", "wide", "wide", "wide", "wide", "edge", "edge", "edge", "lone")
REGIONS = ("north", "north", "north", "north", "south", "north", "north", "north", "north")
ALONE = ("lone", "south")
DIGESTS = digests([f"PROT-{letter}{person}" for letter in "knt" for person in range(PERSONS)])

Rows = list[tuple[object, ...]]


class NotRun(Exception):
    """The engine cannot run an accepted query: nothing came out, and nothing is proved."""


class WrongShape(Exception):
    """The result has other columns than the verdict says."""


@dataclass(frozen=True)
class Kind:
    """One combination of rules under attack.

    :param tables: as the verdict sees them
    :param database: makes the rows, with columns that the rules do not know of, named to be mistaken for others
    :param writer: of the attacks
    :param leak: what came out of an accepted query that may not; ``""`` when it is harmless.
        Raises :class:`NotRun`
    """

    tables: Mapping[str, Table]
    database: Callable[[], duckdb.DuckDBPyConnection]
    writer: Callable[[Random], Attacker]
    leak: Callable[[Verdict, duckdb.DuckDBPyConnection], str]


def engine() -> duckdb.DuckDBPyConnection:
    """An engine without tables; one thread, since starting more costs more than so few rows."""
    return duckdb.connect(":memory:", config={"threads": 1})


def fill(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *,
    keys: str = "PROT-k",
    notes: str = "PROT-n",
    segments: tuple[str, ...] = SEGMENTS,
    regions: tuple[str, ...] = REGIONS,
    base: int = 16,
    first_digit: int = 3,
    amounts: str = "BIGINT",
    people: Collection[int] = range(PERSONS),
) -> None:
    """Make a table with one row for each of the people.

    :param base: a person's amount is this to the power of ``first_digit`` plus the person's number: the digits
        of any sum tell whose rows it holds, and counts stay below all of them
    :param amounts: type of the amounts
    """
    connection.execute(
        f"CREATE TABLE {name} (key TEXT, amount {amounts}, segment TEXT, region TEXT, note TEXT, x TEXT, s TEXT)"
    )
    rows = [
        (
            f"{keys}{person}",
            base ** (first_digit + person),
            segments[person],
            regions[person],
            f"{notes}{person}",
            "PROT-x",
            "PROT-s",
        )
        for person in people
    ]
    if rows:
        connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def run(verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> Rows:
    """What comes out of an accepted query.

    :raises NotRun: its types do not fit, or it is no query of the engine
    :raises WrongShape: which is a leak, too
    """
    assert verdict.sql is not None
    (statement,) = sqlglot.transpile(verdict.sql, read="spark", write="duckdb")
    try:
        rows = connection.execute(statement).fetchall()
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException) as problem:
        raise NotRun from problem
    if len(connection.description or ()) != len(verdict.output_columns):
        raise WrongShape(f"{len(connection.description or ())} columns, not {len(verdict.output_columns)}")
    return rows


def run_in(schema: str, verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> Rows:
    """What comes out when the tables are those of a schema. Raises :class:`NotRun`."""
    connection.execute(f"SET search_path = '{schema},main'")
    return run(verdict, connection)


def told_apart(schemas: Iterable[str], verdict: Verdict, connection: duckdb.DuckDBPyConnection) -> str:
    """The first schema whose rows give another result than the schema ``main``'s; ``""`` when none does."""
    expected = Counter(map(str, run_in("main", verdict, connection)))
    for schema in schemas:
        if Counter(map(str, run_in(schema, verdict, connection))) != expected:
            return schema
    return ""


def first_leak(rows: Rows, leak: Callable[[object], str]) -> str:
    """What the first cell that leaks gives away; ``""`` when none does."""
    return next((found for row in rows for value in row if (found := leak(value))), "")


def protected(value: object) -> str:
    """Whether a cell shows a protected text, or what is as good as one."""
    if "prot" in str(value).lower().replace(GUESSED, ""):
        return "a protected value came out"
    if str(value).lower() in DIGESTS:
        return "a digest of a protected value came out"
    return ""


def small_sum(value: object, minimum: int, *, base: int = 16, first_digit: int = 3) -> str:
    """Whether a cell is a sum over fewer people than the minimum, see :func:`fill`."""
    number = int(value) // base**first_digit if _is_whole(value) else 0  # type: ignore[call-overload]
    people = sum(number // base**person % base > 0 for person in range(PERSONS))
    return f"a sum of {people} people came out" if 0 < people < minimum else ""


def _is_whole(value: object) -> bool:
    if isinstance(value, bool) or not hasattr(value, "__int__") or isinstance(value, str | float):
        return False
    return value >= 0  # type: ignore[operator]
