"""Writes what an operation returns as REST-JSON, and refuses what the model does not know.

A sandbox that answers in a shape of its own would let mistakes pass that AWS's would catch, so a
result that the model does not describe is a defect of the sandbox, not of the caller.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp

from sandbox.model_limits import type_problems


class UnmodelledOutput(Exception):
    """The implementation returned something that the service's model does not describe."""


def write_result(operation: OperationModel, result: Mapping[str, Any]) -> bytes:
    """Returns the JSON body of a successful call.

    :param result: ``camelCase`` members; ``datetime`` or epoch seconds for timestamps, bytes for blobs.
        Members that are ``None`` are left out.
    :raises UnmodelledOutput: unknown or missing members, wrong types, a member with a header location
    """
    shape = operation.output_shape
    if shape is None:
        return b"{}"
    present = _present(dict(result))
    found = type_problems(present, shape)
    if found:
        listed = "; ".join(f"{problem.name}: {problem.message}" for problem in found)
        raise UnmodelledOutput(f"{operation.name}: {listed}")
    return json.dumps(_written(shape, present, operation.name)).encode()


def _present(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _present(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_present(item) for item in value]
    return value


def _written(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape) and not shape.metadata.get("document"):
        unknown = sorted(set(value) - set(shape.members))
        if unknown:
            raise UnmodelledOutput(f"{path}: {shape.name} has no member {', '.join(unknown)}")
        return {
            _json_name(member, shape.members[member]): _written(
                shape.members[member], item, f"{path}.{member}"
            )
            for member, item in value.items()
        }
    if isinstance(shape, ListShape):
        return [_written(shape.member, item, path) for item in value]
    if isinstance(shape, MapShape):
        return {key: _written(shape.value, item, path) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _timestamp(shape, value)
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def _json_name(member: str, shape: Shape) -> str:
    if "location" in shape.serialization:
        raise UnmodelledOutput(f"{member}: members outside the body are not written by this sandbox")
    return str(shape.serialization.get("name", member))


def _timestamp(shape: Shape, value: Any) -> str | float:
    moment = value if isinstance(value, dt.datetime) else parse_timestamp(value)
    if shape.serialization.get("timestampFormat") == "iso8601":
        return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return round(moment.timestamp(), 3)
