"""The wire of a REST-JSON service, driven by botocore's model of it: requests in, replies out.

An implementation is an object with one method per operation, in snake case:
``def start_protected_query(self, caller: Caller, **camelCaseParameters) -> dict``. It raises
:class:`ServiceFault` for the exceptions that the model declares. Where it has ``admit(caller, operation)``,
that is asked before each call and may refuse it.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel, StructureShape

from sandbox.model_input import Query, UnreadableRequest, read_parameters
from sandbox.model_limits import Problem, problems
from sandbox.model_output import UnmodelledOutput, write_result

log = logging.getLogger(__name__)
Reply = tuple[int, dict[str, str], bytes]

# Codes that every service answers with and no model declares.
_UNMODELLED_STATUS = {
    "UnknownOperationException": 404,
    "SerializationException": 400,
    "NotImplementedException": 501,
}
# What an operation that is not implemented answers with: the first of these that it declares.
_REFUSALS = ("ValidationException", "AccessDeniedException", "ResourceNotFoundException")


@dataclass(frozen=True)
class Caller:
    """Who signed the request.

    ``principal_arn`` is ``arn:aws:iam::<account>:root`` for root keys, else the ARN of the IAM user or
    of the role behind the session.
    """

    account: str
    region: str
    access_key: str
    principal_arn: str


class ServiceFault(Exception):
    """An exception of the service's model.

    :param code: the exception's name in the model, as ``ResourceNotFoundException``
    :param members: its further members, as ``reason``, ``resourceId``, ``fieldList``
    """

    def __init__(self, code: str, message: str = "", **members: Any) -> None:
        self.code = code
        self.message = message
        self.members = members
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True)
class Route:
    """One operation's place: method, path with labels as named groups, number of labels."""

    method: str
    path: re.Pattern[str]
    labels: int
    operation: str


class RestJsonService:
    """Serves one service of botocore's models through ``implementation``."""

    def __init__(self, service: str, implementation: object) -> None:
        self.name = service
        self.model = botocore.session.get_session().get_service_model(service)
        self.implementation = implementation
        self._routes = sorted(
            (_route(self.model.operation_model(name)) for name in self.model.operation_names),
            key=lambda route: route.labels,
        )

    def operation_name(self, method: str, path: str) -> str | None:
        """Returns the operation that a request means, ``None`` when there is none.

        :param path: as sent, labels percent-encoded
        """
        found = self._find(method, path)
        return found[0] if found else None

    def labels(self, method: str, path: str) -> dict[str, str]:
        """Returns the labels in a request's path by name, still percent-encoded."""
        found = self._find(method, path)
        return found[1] if found else {}

    def handle(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: bytes, caller: Caller
    ) -> Reply:
        """Answers one request with (status, headers, body); never raises.

        :param path: as sent, labels percent-encoded
        :param headers: names in lower case
        """
        operation: OperationModel | None = None
        try:
            found = self._find(method, path)
            if found is None:
                raise ServiceFault("UnknownOperationException", f"no operation for {method} {path}")
            operation = self.model.operation_model(found[0])
            status, extra, content = self._call(operation, found[1], query, headers, body, caller)
        except ServiceFault as fault:
            status, extra, content = self._refusal(operation, fault)
        except Exception:
            log.exception("the sandbox's %s failed on %s %s", self.name, method, path)
            failure = ServiceFault("InternalServerException", "the sandbox failed; its log has the traceback")
            status, extra, content = self._refusal(operation, failure)
        return (
            status,
            {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4()), **extra},
            content,
        )

    def _find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        for route in self._routes:
            match = route.path.fullmatch(path) if route.method == method else None
            if match:
                return route.operation, match.groupdict()
        return None

    def _call(
        self,
        operation: OperationModel,
        uri: Mapping[str, str],
        query: Query,
        headers: Mapping[str, str],
        body: bytes,
        caller: Caller,
    ) -> Reply:
        try:
            parameters = read_parameters(operation, uri, query, headers, body)
        except UnreadableRequest as problem:
            raise _unreadable(problem) from problem
        found = problems(parameters, operation.input_shape) if operation.input_shape else []
        if found:
            raise _invalid(found)
        method = getattr(self.implementation, xform_name(operation.name), None)
        if method is None:
            raise _missing(operation)
        admit = getattr(self.implementation, "admit", None)
        if admit is not None:
            admit(caller, operation.name)
        result = method(caller, **parameters) or {}
        try:
            content = write_result(operation, result)
        except UnmodelledOutput:
            log.exception("the sandbox's %s answered outside the model", self.name)
            raise ServiceFault(
                "InternalServerException", f"{operation.name} answered outside its model"
            ) from None
        return operation.http.get("responseCode", 200), {}, content

    def _refusal(self, operation: OperationModel | None, fault: ServiceFault) -> Reply:
        shape = self._exception(operation, fault.code)
        modelled = shape.metadata.get("error", {}) if shape else {}
        status = modelled.get("httpStatusCode") or _UNMODELLED_STATUS.get(fault.code, 400)
        members = {name: value for name, value in fault.members.items() if shape and name in shape.members}
        body = json.dumps({"message": fault.message, **members}).encode()
        return status, {"x-amzn-errortype": fault.code}, body

    def _exception(self, operation: OperationModel | None, code: str) -> StructureShape | None:
        declared = operation.error_shapes if operation else []
        shapes = [shape for shape in (*declared, *self.model.error_shapes) if shape.name == code]
        return cast(StructureShape, shapes[0]) if shapes else None


def _route(operation: OperationModel) -> Route:
    uri = operation.http["requestUri"].split("?")[0]
    parts = re.split(r"\{(\w+)(\+?)\}", uri)
    pattern = re.escape(parts[0])
    for label, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pattern += f"(?P<{label}>{'.+' if greedy else '[^/]+'})" + re.escape(literal)
    return Route(operation.http["method"], re.compile(pattern + "/?"), len(parts) // 3, operation.name)


def _missing(operation: OperationModel) -> ServiceFault:
    """An exception that the operation declares, so that clients know its class and do not repeat the call."""
    declared = {shape.name for shape in operation.error_shapes}
    code = next((one for one in _REFUSALS if one in declared), "NotImplementedException")
    message = f"The local AWS does not implement {operation.name}. docs/fidelity.md lists what it has."
    return ServiceFault(code, message)


def _unreadable(problem: UnreadableRequest) -> ServiceFault:
    if not problem.member:
        return ServiceFault("SerializationException", problem.problem)
    return _invalid([Problem(problem.member, f"Member {problem.problem}")])


def _invalid(found: list[Problem]) -> ServiceFault:
    listed = "; ".join(f"{problem.name or 'request'}: {problem.message}" for problem in found)
    noun = "validation error" if len(found) == 1 else "validation errors"
    return ServiceFault(
        "ValidationException",
        f"{len(found)} {noun} detected: {listed}",
        reason="FIELD_VALIDATION_FAILED",
        fieldList=[{"name": problem.name or "request", "message": problem.message} for problem in found],
    )
