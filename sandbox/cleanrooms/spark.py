"""Reading Spark SQL as the service does, short of any judgement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from cleanrooms.rules.dialect import CleanRooms
from cleanrooms.rules.text import read


class UnreadableQuery(Exception):
    """The text is not SQL that can be analysed; the message quotes none of it."""


def statements(sql: str, dialect: type[CleanRooms] = CleanRooms) -> list[exp.Expr]:
    """Returns the statements of a text.

    :param dialect: how to read it
    :raises UnreadableQuery: it does not parse
    """
    try:
        parsed = read(sql, dialect)
    except SqlglotError as problem:
        details = getattr(problem, "errors", None) or [{}]
        place = f" at line {details[0]['line']}, column {details[0]['col']}" if "line" in details[0] else ""
        raise UnreadableQuery(f"The text does not parse{place}.") from None
    found: list[exp.Expr] = [statement for statement in parsed if statement is not None]
    if not found:
        raise UnreadableQuery("The text holds no statement.")
    return found


@dataclass(frozen=True)
class TableNames:
    """Names in the place of a table, lower case, each once, in order of appearance.

    :param mentioned: all of them
    :param read: without what the text defines itself (common table expressions, cached tables)
    """

    mentioned: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def mentioned_tables(sql: str) -> list[str]:
    """Returns all names in the place of a table; see :class:`TableNames`.

    :raises UnreadableQuery: it does not parse
    """
    return list(names_in(sql).mentioned)


def table_names(sql: str) -> list[str]:
    """Returns the names of the tables that a text reads; see :class:`TableNames`.

    :raises UnreadableQuery: it does not parse
    """
    return list(names_in(sql).read)


def names_in(sql: str) -> TableNames:
    """Returns the names of tables in a text, read once.

    :raises UnreadableQuery: it does not parse
    """
    mentioned: dict[str, None] = {}
    own: set[str] = set()
    for statement in statements(sql):
        own |= {cte.alias_or_name.lower() for cte in statement.find_all(exp.CTE)}
        if isinstance(statement, exp.Cache):
            own.add(statement.this.name.lower())
        for table in statement.find_all(exp.Table):
            if not table.find_ancestor(exp.Hint) and isinstance(table.this, exp.Identifier):
                mentioned.setdefault(table.name.lower())
    return TableNames(tuple(mentioned), tuple(name for name in mentioned if name not in own))
