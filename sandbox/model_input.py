"""Reads a REST-JSON request into the parameters that botocore's model of the operation names.

Source of the rules: the AWS ``restJson1`` protocol as botocore's service models annotate it
(``location``, ``locationName``, ``payload``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp

Query = Mapping[str, Sequence[str]]


class UnreadableRequest(Exception):
    """The request does not have the form that the protocol asks for; ``member`` is empty for the body."""

    def __init__(self, member: str, problem: str) -> None:
        self.member = member
        self.problem = problem
        super().__init__(f"{member}: {problem}" if member else problem)


def read_parameters(
    operation: OperationModel, uri: Mapping[str, str], query: Query, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Returns the operation's parameters as boto3 would take them (``camelCase`` names, Python values).

    :param uri: the labels of the request's path, still percent-encoded
    :param headers: names in lower case
    :raises UnreadableRequest: body that is not a JSON object, or a value of the wrong kind
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    document = _document(body, wants_object=payload is None)
    parameters: dict[str, Any] = {}
    for member, member_shape in shape.members.items():
        name = member_shape.serialization.get("name", member)
        try:
            value = _locate(member_shape, name, uri, query, headers, document, is_payload=payload == member)
        except (ValueError, TypeError, AttributeError, binascii.Error) as problem:
            raise UnreadableRequest(member, f"cannot be read as {member_shape.type_name}") from problem
        if value is not None:
            parameters[member] = value
    return parameters


def _document(body: bytes, *, wants_object: bool) -> Any:
    try:
        document = json.loads(body) if body else {}
    except ValueError as problem:
        raise UnreadableRequest("", "the request body is not JSON") from problem
    if wants_object and not isinstance(document, dict):
        raise UnreadableRequest("", "the request body is not a JSON object")
    return document


def _locate(
    shape: Shape,
    name: str,
    uri: Mapping[str, str],
    query: Query,
    headers: Mapping[str, str],
    document: Any,
    *,
    is_payload: bool,
) -> Any:
    location = shape.serialization.get("location")
    if location == "uri":
        return _from_text(shape, unquote(uri[name]))
    if location == "querystring":
        return _from_query(shape, query.get(name))
    if location == "header":
        text = headers.get(name.lower())
        return None if text is None else _from_text(shape, text)
    return _from_json(shape, document if is_payload else document.get(name))


def _from_query(shape: Shape, values: Sequence[str] | None) -> Any:
    if not values:
        return None
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, value) for value in values]
    return _from_text(shape, values[0])


def _from_text(shape: Shape, text: str) -> Any:
    readers: dict[str, Callable[[str], Any]] = {
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "boolean": lambda value: value == "true",
        "timestamp": parse_timestamp,
    }
    return readers.get(shape.type_name, str)(text)


def _from_json(shape: Shape, value: Any) -> Any:
    """Values of the wrong JSON kind pass through: the model's validation names them better."""
    if value is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not shape.metadata.get("document"):
        return _structure(shape, value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return parse_timestamp(value)
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    return value


def _structure(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for member, member_shape in shape.members.items():
        item = value.get(member_shape.serialization.get("name", member))
        if item is not None:
            found[member] = _from_json(member_shape, item)
    return found
