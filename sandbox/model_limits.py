r"""Checks parameters against botocore's model the way the service does.

botocore's own validator checks presence, types, tagged unions and minimums only; the enum, maximum
and pattern traits are in the same model and are checked here. Patterns with ``\p{..}`` are skipped:
Python's ``re`` has no Unicode properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

# Maximums that a service's own values break: ARNs of a membership's children, which tag operations take, are
# longer than the 100 characters of this shape.
_WRONG_MAXIMUMS = frozenset({"CleanroomsArn"})


class Problem(NamedTuple):
    """One violated constraint: the member's path (``a.b.1``) and what it must satisfy; no values."""

    name: str
    message: str


def problems(parameters: dict[str, Any], shape: Shape) -> list[Problem]:
    """Returns every constraint of ``shape`` that ``parameters`` violate, empty when there is none."""
    return type_problems(parameters, shape) + list(_beyond_botocore(parameters, shape, ""))


def type_problems(value: dict[str, Any], shape: Shape) -> list[Problem]:
    """Returns missing members, wrong types, wrong unions and values below a minimum."""
    report = ParamValidator().validate(value, shape)
    # botocore's own report repeats the values, which may be rows or keys.
    return [_of_botocore(error) for error in report._errors]


def _of_botocore(error: tuple[str, str, dict[str, Any]]) -> Problem:
    kind, name, facts = error
    path = name.lstrip(".")
    if kind == "missing required field":
        member = ".".join(part for part in (path, facts["required_name"]) if part)
        return Problem(member, "Member must not be null")
    if kind == "invalid range":
        return Problem(path, f"Member must satisfy constraint: minimum of {facts['min_allowed']}")
    if kind == "invalid length":
        return Problem(path, f"Member must have length greater than or equal to {facts['min_allowed']}")
    if kind == "invalid type":
        return Problem(path, "Member is of the wrong type")
    return Problem(path, f"Member is invalid: {kind}")


def _beyond_botocore(value: Any, shape: Shape, name: str) -> Iterator[Problem]:
    yield from _maximum(value, shape, name)
    if isinstance(value, str):
        yield from _text(value, shape, name)
    elif isinstance(shape, StructureShape) and isinstance(value, dict):
        for member, member_shape in shape.members.items():
            if member in value:
                yield from _beyond_botocore(value[member], member_shape, f"{name}.{member}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for position, item in enumerate(value, start=1):
            yield from _beyond_botocore(item, shape.member, f"{name}.{position}.member")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from _beyond_botocore(key, shape.key, f"{name}.key")
            yield from _beyond_botocore(item, shape.value, f"{name}.value")


def _maximum(value: Any, shape: Shape, name: str) -> Iterator[Problem]:
    limit = shape.metadata.get("max")
    if limit is None or isinstance(value, bool) or shape.name in _WRONG_MAXIMUMS:
        return
    if isinstance(value, (str, bytes, list, dict)):
        if len(value) > limit:
            yield Problem(name, f"Member must have length less than or equal to {limit}")
    elif isinstance(value, (int, float)) and value > limit:
        yield Problem(name, f"Member must have value less than or equal to {limit}")


def _text(value: str, shape: Shape, name: str) -> Iterator[Problem]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield Problem(name, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield Problem(name, f"Member must satisfy regular expression pattern: {pattern}")


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    if r"\p{" in pattern:
        return None
    # The models write characters beyond the BMP as a pair of UTF-16 surrogate ranges.
    pattern = pattern.replace(r"\uD800\uDBFF-\uDC00\uDFFF", r"\U00010000-\U0010FFFF")
    # `([x]+)*([x]+)` means `[x]+` but takes exponential time to say no.
    pattern = re.sub(r"\((\[[^\]]+\]\+)\)\*\(\1\)", r"\1", pattern)
    return re.compile(pattern, re.ASCII)
