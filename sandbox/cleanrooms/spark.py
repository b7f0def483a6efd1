"""Reading Spark SQL as the service does, short of any judgement."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cleanrooms.rules.dialect import CleanRooms


class UnreadableQuery(Exception):
    """The text is not SQL that can be analysed; the message quotes none of it."""


def statements(sql: str) -> list[exp.Expr]:
    """Returns the statements of a text.

    :raises UnreadableQuery: it does not parse
    """
    try:
        parsed = sqlglot.parse(sql, read=CleanRooms)
    except SqlglotError as problem:
        details = getattr(problem, "errors", None) or [{}]
        place = f" at line {details[0]['line']}, column {details[0]['col']}" if "line" in details[0] else ""
        raise UnreadableQuery(f"The text does not parse{place}.") from None
    found = [statement for statement in parsed if isinstance(statement, exp.Expr)]
    if not found:
        raise UnreadableQuery("The text holds no statement.")
    return found


def mentioned_tables(sql: str) -> list[str]:
    """Returns all names in the place of a table, lower case, each once, in order of appearance.

    :raises UnreadableQuery: it does not parse
    """
    names: dict[str, None] = {}
    for statement in statements(sql):
        for table in statement.find_all(exp.Table):
            if not table.find_ancestor(exp.Hint) and isinstance(table.this, exp.Identifier):
                names.setdefault(table.name.lower())
    return list(names)


def table_names(sql: str) -> list[str]:
    """Returns the names of the tables that a text reads: those mentioned, without what it defines itself.

    :raises UnreadableQuery: it does not parse
    """
    own: set[str] = set()
    for statement in statements(sql):
        own |= {cte.alias_or_name.lower() for cte in statement.find_all(exp.CTE)}
        if isinstance(statement, exp.Cache):
            own.add(statement.this.name.lower())
    return [name for name in mentioned_tables(sql) if name not in own]
