"""Reads and writes SQL text; where the library stumbles over a text, it is an error of the text."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, UnsupportedError

from cleanrooms.rules.dialect import CleanRooms

_STUMBLES = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What sqlglot raises for calls with arguments that it does not expect, such as ``MAP(x)``."""


def read(sql: str, dialect: type[Dialect] = CleanRooms) -> list[exp.Expression | None]:
    """The statements of a text.

    :raises sqlglot.errors.SqlglotError: the text is no SQL
    """
    try:
        return [node for node in sqlglot.parse(sql, read=dialect) if isinstance(node, exp.Expression | None)]
    except _STUMBLES as error:
        raise ParseError("A call has arguments that it cannot have.") from error


def write(node: exp.Expr, dialect: type[Dialect] = CleanRooms, **options: Any) -> str:
    """The text of a node.

    :raises sqlglot.errors.UnsupportedError: it cannot be written in the dialect
    """
    try:
        return node.sql(dialect, **options)
    except _STUMBLES as error:
        raise UnsupportedError("A call has arguments that it cannot have.") from error
