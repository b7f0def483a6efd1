"""Template parameters: ``:name`` in the text becomes a typed literal, through the syntax tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlglot import exp

from cleanrooms.errors import RuleViolationError
from cleanrooms.rules.dialect import CleanRooms
from cleanrooms.rules.parse import Script, parse_script
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.text import read, write

MAX_VALUE = 1000
"""Characters of one value (``ParameterMap`` of the service's API)."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,38}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,38}(\.[0-9]{0,38})?|\.[0-9]{1,38})")
_FLOAT = re.compile(r"[+-]?([0-9]{1,38}(\.[0-9]{0,38})?|\.[0-9]{1,38})([eE][+-]?[0-9]{1,3})?")


def bind(
    sql: str, declared_parameters: Sequence[Mapping[str, Any]] | None, values: Mapping[str, str] | None
) -> str:
    """The text with every ``:name`` replaced by a literal of the parameter's declared type.

    :param declared_parameters: AWS ``AnalysisParameter`` maps (``name``, ``type``, ``defaultValue``);
        None for a direct query, whose parameters are all strings
    :param values: values by name; always text, as in the service's API
    :return: SQL that the service and :func:`cleanrooms.rules.check` read alike
    :raises RuleViolationError: a value is missing, unknown, or not of its type, or the text is no query
    """
    report = Report(sql)
    try:
        script = parse_script(sql, report)
        bind_script(script, declared_parameters, values or {}, report)
    except RefusedError:
        script = None
    if report.violations or script is None:
        raise RuleViolationError(
            "The parameters cannot be bound: " + "; ".join(str(violation) for violation in report.violations),
            "Give every parameter a value of its declared type.",
        )
    text = _written([*(cached.node for cached in script.caches), script.query])
    if _written([node for node in read(text) if node]) != text:
        raise RuleViolationError(
            "The bound text does not read as it was written.", "Use simpler values or a template."
        )
    return text


def _written(statements: Iterable[exp.Expr]) -> str:
    return ";\n".join(write(node, comments=False) for node in statements)


def bind_script(
    script: Script,
    declared: Sequence[Mapping[str, Any]] | None,
    values: Mapping[str, str],
    report: Report,
) -> None:
    """Bind in place; what cannot be bound goes to the report as ``PARAMETERS``."""
    types = None if declared is None else {str(item["name"]): str(item["type"]).upper() for item in declared}
    given = {
        str(item["name"]): str(item["defaultValue"]) for item in declared or () if item.get("defaultValue")
    }
    given |= {name: str(value) for name, value in values.items()}
    if types is not None:
        _check_names(types, given, report)
    bound = 0
    for root in script.roots():
        for node in list(root.find_all(exp.Placeholder, exp.Parameter, exp.SessionParameter)):
            literal = _literal_for(node, types, given, report)
            if literal is not None:
                node.replace(literal)
                bound += 1
    if bound and any(root.find(exp.Hint) for root in script.roots()):
        _add(report, "Hints cannot be combined with parameters.", fix="Leave the hints out.")


def _check_names(types: Mapping[str, str], given: Mapping[str, str], report: Report) -> None:
    for name in sorted(set(types) - set(given)):
        _add(report, f"Parameter {name} has no value and no default.", fix="Give it a value.")
    for name in sorted(set(given) - set(types)):
        _add(report, f"Parameter {name} is not declared by the template.", fix="Leave it out.")


def _literal_for(
    node: exp.Expression, types: Mapping[str, str] | None, given: Mapping[str, str], report: Report
) -> exp.Expression | None:
    name = node.name if isinstance(node, exp.Placeholder) else ""
    kind = "STRING" if types is None else types.get(name)
    if not name or kind is None:
        _add(
            report, "The text has a parameter that is not declared.", node, fix="Write :name and declare it."
        )
        return None
    if name not in given:
        if types is None:
            _add(report, f"Parameter {name} has no value.", node, fix="Give it a value.")
        return None
    value = given[name]
    make = _MAKERS.get(kind)
    literal = make(value) if make is not None and len(value) <= MAX_VALUE else None
    if literal is None:
        _add(report, f"The value of parameter {name} is not a {kind}.", node, fix=f"Give a {kind}.")
    return literal


def _add(report: Report, message: str, *nodes: exp.Expression, fix: str) -> None:
    report.add("PARAMETERS", message, *nodes, rule="parameters of the analysis", fix=fix)


def _text(value: str) -> exp.Expression | None:
    return exp.Literal.string(value)


def _number(pattern: re.Pattern[str]) -> Callable[[str], exp.Expression | None]:
    def make(value: str) -> exp.Expression | None:
        if not pattern.fullmatch(value):
            return None
        literal = exp.Literal.number(value.lstrip("+-"))
        return exp.Paren(this=exp.Neg(this=literal)) if value.startswith("-") else literal

    return make


def _whole(bits: int) -> Callable[[str], exp.Expression | None]:
    number = _number(_WHOLE)

    def make(value: str) -> exp.Expression | None:
        literal = number(value)
        return literal if literal is not None and -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1) else None

    return make


def _boolean(value: str) -> exp.Expression | None:
    known = {"true": True, "false": False}.get(value.lower())
    return None if known is None else exp.Boolean(this=known)


def _typed(kind: str, parse: Callable[[str], object]) -> Callable[[str], exp.Expression | None]:
    def make(value: str) -> exp.Expression | None:
        try:
            parse(value)
        except ValueError:
            return None
        return exp.Cast(this=exp.Literal.string(value), to=exp.DataType.build(kind, dialect=CleanRooms))

    return make


_TIMESTAMP = _typed("timestamp", datetime.fromisoformat)
_MAKERS: dict[str, Callable[[str], exp.Expression | None]] = {
    **dict.fromkeys(("STRING", "VARCHAR", "CHAR", "CHARACTER"), _text),
    **dict.fromkeys(("TINYINT", "BYTE"), _whole(8)),
    **dict.fromkeys(("SMALLINT", "SHORT"), _whole(16)),
    **dict.fromkeys(("INTEGER", "INT"), _whole(32)),
    **dict.fromkeys(("BIGINT", "LONG"), _whole(64)),
    **dict.fromkeys(("DECIMAL", "NUMERIC"), _number(_DECIMAL)),
    **dict.fromkeys(("REAL", "FLOAT", "DOUBLE", "DOUBLE_PRECISION"), _number(_FLOAT)),
    "BOOLEAN": _boolean,
    "DATE": _typed("date", date.fromisoformat),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ"), _TIMESTAMP),
}
