"""Spark SQL as the engine reads it: each function under the name that the query gives it.

sqlglot's own nodes for functions merge names and take over formats in another notation; the engine's list
of functions goes by the documented names instead.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp

from cleanrooms.rules.dialect import CleanRooms, CleanRoomsParser


class _Parser(CleanRoomsParser):
    # What these give is told apart from functions before any name is looked at.
    FUNCTIONS: ClassVar[dict[str, Any]] = {}


class ByName(CleanRooms):
    """The service's dialect without nodes of their own for functions."""

    Parser = _Parser


def arguments(node: exp.Expr) -> list[exp.Expr]:
    """Returns the arguments of a call."""
    found: list[exp.Expr] = node.expressions
    return found
