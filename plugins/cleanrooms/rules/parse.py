"""Text to syntax tree: one query, perhaps after CACHE TABLE statements; everything else is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from cleanrooms.rules.dialect import UnsupportedStatementError
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.text import read

MAX_TEXT = 500_000
"""Characters of a query or template (``queryString`` of the service's API)."""

_WORD = re.compile(r"[A-Za-z0-9_]*")
"""Units and the like, which are printed as they are: nothing else may hide behind their quotation marks."""
_NAME = re.compile(r"[ !#-_a-~]{1,128}")
"""Printable ASCII without quotation marks: names outside could fold differently in two engines."""

_SYSTEM_NAMES = frozenset({"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_SYSTEM_PREFIXES = (
    "padb_", "pg_", "stcs_", "stl_", "stll_", "stv_", "svcs_", "svl_", "svv_", "sys_", "systable_",
)  # fmt: skip
MAX_ALIAS = 127
"""Characters of an alias (SQL naming rules)."""


@dataclass(frozen=True)
class Cached:
    """``CACHE TABLE name AS query``."""

    name: exp.Identifier
    node: exp.Cache
    query: exp.Expression


@dataclass(frozen=True)
class Script:
    """What a text asks for: cached tables, then one query."""

    caches: tuple[Cached, ...]
    query: exp.Expression

    def roots(self) -> list[exp.Expression]:
        """The trees of all statements, in order."""
        return [*(cached.query for cached in self.caches), self.query]


def parse_script(sql: str, report: Report) -> Script:
    """The statements of a text.

    :raises RefusedError: the text is no query; the report says why
    """
    if len(sql) > MAX_TEXT:
        report.add("PARSE", f"The text has more than {MAX_TEXT} characters.", fix="Shorten the query.")
        raise RefusedError
    statements = _parse(sql, report)
    for statement in statements:
        for node in statement.walk():
            node.pop_comments()
    caches: list[Cached] = []
    queries: list[exp.Expression] = []
    for statement in statements:
        if isinstance(statement, exp.Cache) and not queries:
            caches.append(_cached(statement, report))
        elif is_query(statement):
            queries.append(statement)
        else:
            raise _no_query(report, statement)
    if len(queries) != 1:
        raise _no_query(report, *queries[1:2])
    _check_names(statements, report)
    return Script(tuple(caches), unwrapped(queries[0]))


def is_query(node: exp.Expression) -> bool:
    """Whether a statement is a SELECT, a set operation, or one of them in brackets."""
    return isinstance(unwrapped(node), exp.Select | exp.SetOperation)


def unwrapped(node: exp.Expression) -> exp.Expression:
    """The query inside brackets, as long as the brackets add nothing of their own."""
    while isinstance(node, exp.Subquery) and not extras(node, {"this"}):
        node = node.this
    return node


def extras(node: exp.Expression, known: set[str]) -> list[str]:
    """The parts of a node that the caller does not know: they make it refuse."""
    return [name for name, value in node.args.items() if value and name not in known]


def _parse(sql: str, report: Report) -> list[exp.Expression]:
    try:
        parsed = read(sql)
    except UnsupportedStatementError:
        raise _no_query(report) from None
    except RecursionError:
        report.add("PARSE", "The text is nested too deeply.", fix="Flatten the query.")
        raise RefusedError from None
    except SqlglotError as error:
        detail = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        place = f" at line {detail['line']}, column {detail['col']}" if detail.get("line") else ""
        report.add("PARSE", f"The text is not valid SQL{place}.", fix="Correct the syntax (Spark SQL).")
        raise RefusedError from None
    return [
        node for node in parsed if isinstance(node, exp.Expression) and not isinstance(node, exp.Semicolon)
    ]


def _cached(node: exp.Cache, report: Report) -> Cached:
    name, query = node.this, node.args.get("expression")
    plain = (
        isinstance(name, exp.Table) and isinstance(name.this, exp.Identifier) and not extras(name, {"this"})
    )
    usable = plain and isinstance(query, exp.Expression) and is_query(query)
    if not usable or extras(node, {"this", "expression"}):
        raise _no_query(report, node)
    return Cached(name.this, node, unwrapped(node.args["expression"]))


def _no_query(report: Report, *nodes: exp.Expression) -> RefusedError:
    report.add(
        "STATEMENT",
        "Only one SELECT can be run (after CACHE TABLE statements where the tables' rules are custom).",
        *nodes,
        rule="Clean Rooms SQL commands",
        fix="Send exactly one SELECT.",
    )
    return RefusedError()


def _check_names(statements: list[exp.Expression], report: Report) -> None:
    for statement in statements:
        for identifier in statement.find_all(exp.Identifier, exp.Var):
            pattern = _WORD if isinstance(identifier, exp.Var) else _NAME
            alias = isinstance(identifier.parent, exp.Alias | exp.TableAlias)
            if not pattern.fullmatch(identifier.name) or (alias and _is_reserved(identifier.name)):
                report.add(
                    "PARSE",
                    "A name is not one that Clean Rooms allows.",
                    identifier,
                    rule="SQL naming rules",
                    fix="Name tables, columns and aliases with letters, digits, _ and -.",
                )
                raise RefusedError


def _is_reserved(alias: str) -> bool:
    """Whether the naming rules keep an alias for the service, or its hyphens are misplaced."""
    name = alias.lower()
    hyphens = "--" in name or name.startswith("-") or name.endswith("-")
    return hyphens or len(name) > MAX_ALIAS or name in _SYSTEM_NAMES or name.startswith(_SYSTEM_PREFIXES)
