"""Which operation of which service a request means, by botocore's models.

Names are those that CloudTrail writes (``CreateConfiguredTable``, ``CreateMultipartUpload``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"  # what CloudTrail writes in place of a sensitive parameter

_FORM = "application/x-www-form-urlencoded"
_RPC_PATH = re.compile(r"/service/\w+/operation/(\w+)/?")
# botocore's name of a service where the signing name is another one.
_MODEL_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses"}


@dataclass(frozen=True)
class _Rest:
    path: re.Pattern[str]
    query: Mapping[str, str]  # names with their fixed value, empty when any value will do
    headers: frozenset[str]
    name: str

    @property
    def demands(self) -> int:
        return len(self.query) + len(self.headers)

    def fits(self, path: str, query: Mapping[str, Sequence[str]], headers: Mapping[str, str]) -> bool:
        return (
            all(name in query and value in ("", query[name][0]) for name, value in self.query.items())
            and all(name in headers for name in self.headers)
            and self.path.fullmatch(path) is not None
        )


def operation_name(
    service: str,
    method: str,
    path: str,
    query: Mapping[str, Sequence[str]],
    headers: Mapping[str, str],
    body: bytes = b"",
) -> str:
    """Returns the operation's name, empty when the request means none that is known.

    :param service: the signing name, as in the credential scope
    :param path: as sent, labels percent-encoded
    :param headers: names in lower case
    :param body: needed for the query protocol only (IAM, STS, SNS, ...)
    """
    target = headers.get("x-amz-target", "")
    if "." in target:
        return target.rsplit(".", 1)[-1]
    form = parse_qs(body.decode("utf-8", "replace")) if is_form(headers) else {}
    action = query.get("Action") or form.get("Action")
    if action:
        return action[0]
    rpc = _RPC_PATH.fullmatch(path)
    if rpc:
        return rpc[1]
    fitting = [rest for rest in _routes(service).get(method, ()) if rest.fits(path, query, headers)]
    return max(fitting, key=lambda rest: rest.demands).name if fitting else ""


def protocol(service: str) -> str:
    """Returns the protocol that the service's model names (``rest-xml``, ``query``), ``json`` without one."""
    model = _model(service)
    return str(model.metadata.get("protocol", "json")) if model else "json"


def is_form(headers: Mapping[str, str]) -> bool:
    """Returns whether the request carries its operation in a form-encoded body."""
    return headers.get("content-type", "").startswith(_FORM)


def redacted(service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns ``parameters`` with every member that the model calls sensitive replaced by :data:`HIDDEN`."""
    model = _model(service)
    if model is None or operation not in model.operation_names:
        return dict.fromkeys(parameters, HIDDEN)
    shape = model.operation_model(operation).input_shape
    hidden = masked(parameters, shape) if shape else {}
    # Athena's own CloudTrail entries omit the statement, which no trait says.
    return {**hidden, **({"QueryString": HIDDEN} if "QueryString" in hidden else {})}


def masked(value: Any, shape: Shape | None, mask: str = HIDDEN) -> Any:
    """Returns ``value`` with every member that its shape calls sensitive replaced by ``mask``.

    What the shape does not know is replaced, too.
    """
    if shape is None or shape.metadata.get("sensitive"):
        return mask
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: masked(item, shape.members.get(name), mask) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [masked(item, shape.member, mask) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {name: masked(item, shape.value, mask) for name, item in value.items()}
    return value


@cache
def _model(service: str) -> ServiceModel | None:
    try:
        return botocore.session.get_session().get_service_model(_MODEL_OF_SIGNING_NAME.get(service, service))
    except UnknownServiceError:
        return None


@cache
def _routes(service: str) -> dict[str, list[_Rest]]:
    """Routes by HTTP method; among equal demands the one with the longest literal path comes first."""
    model = _model(service)
    routes: dict[str, list[_Rest]] = {}
    if model is None or not str(model.metadata.get("protocol", "")).startswith("rest"):
        return routes
    operations = [model.operation_model(name) for name in model.operation_names]
    for operation in sorted(operations, key=_literal_length, reverse=True):
        routes.setdefault(operation.http["method"], []).append(_rest(operation))
    return routes


def _literal_length(operation: OperationModel) -> int:
    return len(re.sub(r"\{[^}]*\}", "", operation.http["requestUri"].split("?")[0]))


def _rest(operation: OperationModel) -> _Rest:
    path, _, fixed = operation.http["requestUri"].partition("?")
    query = {name: values[0] for name, values in parse_qs(fixed, keep_blank_values=True).items()}
    headers = set()
    shape = operation.input_shape
    for member in shape.required_members if shape else ():
        serialization = shape.members[member].serialization if shape else {}
        name = serialization.get("name", member)
        if serialization.get("location") == "querystring":
            query.setdefault(name, "")
        elif serialization.get("location") == "header":
            headers.add(name.lower())
    query.pop("x-id", None)
    pattern = "".join(
        f"(?:{'.+' if part.endswith('+}') else '[^/]+'})" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", path)
    )
    return _Rest(re.compile(pattern + "/?"), query, frozenset(headers), operation.name)
