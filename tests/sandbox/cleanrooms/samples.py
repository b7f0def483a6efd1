"""The smallest request that the model accepts for an operation, with ids of things that do not exist."""

from __future__ import annotations

import re
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

_ID = "99999999-9999-4999-8999-999999999999"
_ARN = f"arn:aws:cleanrooms:us-east-1:111122223333:membership/{_ID}"
_TEXTS = (
    _ID,
    "111122223333",
    "sample",
    _ARN,
    f"{_ARN}/analysistemplate/{_ID}",
    f"{_ARN}/configuredtableassociation/{_ID}",
    f"arn:aws:cleanrooms-ml:us-east-1:111122223333:configured-audience-model/{_ID}",
    "arn:aws:entityresolution:us-east-1:111122223333:idmappingworkflow/sample",
    "arn:aws:entityresolution:us-east-1:111122223333:idnamespace/sample",
    "arn:aws:iam::111122223333:role/sample",
    "us-east-1",
)


def request(operation: OperationModel) -> dict[str, Any]:
    """Required members only; of a union, the first member."""
    shape = operation.input_shape
    return _structure(shape) if shape is not None else {}


def _structure(shape: StructureShape) -> dict[str, Any]:
    wanted = list(shape.required_members)
    if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
        wanted = list(shape.members)[:1]
    return {name: _value(shape.members[name]) for name in wanted}


def _value(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return [_value(shape.member)] * max(1, shape.metadata.get("min", 1))
    if isinstance(shape, MapShape):
        return {_value(shape.key): _value(shape.value)}
    if shape.type_name == "string":
        return _text(shape)
    plain = {"boolean": True, "timestamp": 0, "double": 1.0, "float": 1.0, "blob": b""}
    return plain.get(shape.type_name, shape.metadata.get("min", 1))


def _text(shape: Shape) -> str:
    if allowed := shape.metadata.get("enum"):
        return str(allowed[0])
    pattern = shape.metadata.get("pattern", ".*").replace(r"\uD800\uDBFF-\uDC00\uDFFF", "")
    sizes = range(shape.metadata.get("min", 0), shape.metadata.get("max", 10_000) + 1)
    fitting = (
        one for one in _TEXTS if len(one) in sizes and (r"\p{" in pattern or re.fullmatch(pattern, one))
    )
    return next(fitting)
