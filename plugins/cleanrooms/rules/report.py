"""Collects violations while a query is checked, with the position and the text of what offends."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from cleanrooms.rules.codes import CODES
from cleanrooms.rules.model import Violation
from cleanrooms.rules.text import write

TEXT_LIMIT = 120


class RefusedError(Exception):
    """Ends a check early: what follows could not be judged."""


class Report:
    """The violations found so far in one text."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.violations: list[Violation] = []
        self._seen: set[Violation] = set()

    def add(
        self, code: str, message: str, *nodes: exp.Expression | None, rule: str = "", fix: str = ""
    ) -> None:
        """Add one violation; the first node gives the position, all nodes give the text."""
        if code not in CODES:
            raise ValueError(f"{code} is not one of the stable codes.")
        offending = [node for node in nodes if node is not None]
        line, column = self._position(offending)
        text = ", ".join(dict.fromkeys(masked(node) for node in offending))
        violation = Violation(code, message, _shortened(text), line, column, rule, fix)
        if violation not in self._seen:
            self._seen.add(violation)
            self.violations.append(violation)

    def codes(self) -> set[str]:
        """The codes found so far."""
        return {violation.code for violation in self.violations}

    def _position(self, nodes: Iterable[exp.Expression]) -> tuple[int | None, int | None]:
        starts = [start for node in nodes if (start := first_offset(node)) is not None]
        if not starts:
            return None, None
        before = self.text[: starts[0]]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def first_offset(node: exp.Expression) -> int | None:
    """Offset of the first token below a node that has one."""
    return min(
        (part.meta["start"] for part in node.walk() if part._meta and "start" in part._meta), default=None
    )


def masked(node: exp.Expression) -> str:
    """The node's SQL as written, with every literal shown as ``?``: it may be somebody's identifier."""
    shown = node.copy()
    for column in shown.find_all(exp.Column):
        if column.meta.get("qualified"):
            column.set("table", None)
    for literal in list(shown.find_all(exp.Literal, exp.RawString, exp.HexString, exp.BitString)):
        if literal is shown:
            return "?"
        literal.replace(exp.Placeholder())
    try:
        return write(shown, comments=False, unsupported_level=ErrorLevel.IGNORE)
    except UnsupportedError:
        return shown.key.upper()


def column_list(columns: Iterable[str]) -> str:
    """The form in which the service lists columns in its messages."""
    return "[" + ", ".join(dict.fromkeys(columns)) + "]"


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"
