"""Values of an analysis template's parameters, compared with the types that the template declares.

The types are those of ``ParameterType`` in botocore's model; a value goes over the wire as text, and the service
makes a typed literal of it. How it reads each type is not documented: what is accepted here is how Spark SQL
writes its literals. Types of bytes are not looked into.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from cleanrooms.aws.errors import PermissionDenied
from cleanrooms.aws.meaning import from_aws
from cleanrooms.errors import PermanentError

if TYPE_CHECKING:
    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

log = logging.getLogger(__name__)

_WHOLE = re.compile(r"[+-]?[0-9]{1,38}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Type(NamedTuple):
    """Whether a text is a value of a type, and an example of one."""

    fits: Callable[[str], bool]
    example: str


def check(template: str, declared: Sequence[Mapping[str, Any]], given: Mapping[str, str | None]) -> None:
    """Refuse values that do not fit, before the query is submitted. Values are never shown.

    :param template: name of the template, for the message
    :param declared: ``analysisParameters`` of the template: ``name``, ``type``, maybe ``defaultValue``
    :param given: values by name, as text; None is no value
    :raises PermanentError: names each parameter that is unknown, missing or of another type, and the fix
    """
    types = {one["name"]: str(one["type"]).upper() for one in declared}
    optional = {one["name"] for one in declared if one.get("defaultValue") is not None}
    wrong = [_unknown(name, types) for name in given if name not in types]
    for name, kind in types.items():
        value = given.get(name)
        if value is None and name not in optional:
            wrong.append(f"{name} ({kind}) has no value and no default: give it one")
        if value is not None and not _fits(kind, value):
            example = _TYPES[kind].example
            wrong.append(f"{name} must be a {kind} and is not: write it like {example}")
    if wrong:
        raise PermanentError(
            f"The parameters do not fit analysis template {template}: {'; '.join(wrong)}.",
            "Correct the named parameters; nothing was submitted or billed.",
            parameters=len(wrong),
        )


def check_with_service(
    hook: CleanRoomsHook, membership_id: str, template_arn: str, given: Mapping[str, str | None]
) -> None:
    """Compare with the template as the collaboration shows it (GetCollaborationAnalysisTemplate).

    Without the permission to look, the service's own check has to do.

    :raises PermanentError: the values do not fit, or there is no such template
    """
    try:
        collaboration_id = hook.get_membership(membership_id)["collaborationId"]
        template = hook.get_analysis_template(collaboration_id, template_arn)
    except Exception as error:
        meaning = from_aws(error, "GetCollaborationAnalysisTemplate", f"template {template_arn}")
        if not isinstance(meaning, PermissionDenied):
            raise meaning from error
        log.warning("The parameters are not checked before submission. %s", meaning.what)
        return
    check(template["name"], template.get("analysisParameters", []), given)


def _unknown(name: str, types: Mapping[str, str]) -> str:
    known = ", ".join(f"{one} {kind}" for one, kind in types.items()) or "none"
    return f"{name} is not declared: leave it out (declared: {known})"


def _fits(kind: str, value: str) -> bool:
    return kind not in _TYPES or _TYPES[kind].fits(value)


def _whole(bits: int) -> Type:
    limit = 2 ** (bits - 1)
    return Type(lambda v: _WHOLE.fullmatch(v) is not None and -limit <= int(v) < limit, "42")


def _parsed(parse: Callable[[str], object], example: str, shape: re.Pattern[str] | None = None) -> Type:
    def fits(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return shape is None or shape.match(value) is not None

    return Type(fits, example)


_TIMESTAMP = _parsed(datetime.fromisoformat, "2017-03-06 12:30:00", _DAY)
_TIME = _parsed(time.fromisoformat, "12:30:00")
_TYPES: dict[str, Type] = {
    **dict.fromkeys(("TINYINT", "BYTE"), _whole(8)),
    **dict.fromkeys(("SMALLINT", "SHORT"), _whole(16)),
    **dict.fromkeys(("INTEGER", "INT"), _whole(32)),
    **dict.fromkeys(("BIGINT", "LONG"), _whole(64)),
    **dict.fromkeys(("DECIMAL", "NUMERIC"), Type(lambda v: _DECIMAL.fullmatch(v) is not None, "12.50")),
    **dict.fromkeys(
        ("REAL", "FLOAT", "DOUBLE", "DOUBLE_PRECISION"),
        Type(lambda v: _FLOAT.fullmatch(v) is not None, "0.5"),
    ),
    "BOOLEAN": Type(lambda v: v.lower() in ("true", "false"), "true"),
    "DATE": _parsed(date.fromisoformat, "2017-03-06", re.compile(_DAY.pattern + r"\Z")),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ"), _TIMESTAMP),
    **dict.fromkeys(("TIME", "TIMETZ"), _TIME),
}
