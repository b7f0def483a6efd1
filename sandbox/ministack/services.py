"""Services beside and around ministack's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar

import ministack.app as _app
from ministack.core import iam_actions, router

from sandbox.ministack.callers import caller
from sandbox.wire import Caller, Reply, RestJsonService

Headers = dict[str, str]
Query = dict[str, list[str]]
Handler = Callable[[str, str, Headers, bytes, Query], Awaitable[Reply]]
ResourceArn = Callable[[str, Mapping[str, str], Caller], str]

asgi = _app.app

# The path as sent: ministack hands decoded ones on, in which an ARN's slashes look like separators.
raw_path: ContextVar[str] = ContextVar("sandbox_raw_path", default="")


def add_service(service: RestJsonService, handler: Handler, resource_arn: ResourceArn) -> None:
    """Puts a service behind ministack's signature check and IAM enforcement.

    :param resource_arn: names the resource that IAM policies are compared with, from the operation, the
        labels of its path and the caller
    """
    name = service.name
    router.SERVICE_PATTERNS[name] = {"host_patterns": [rf"^{name}\."], "credential_scope": name}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name
    _app.SERVICE_HANDLERS[name] = handler
    _extend_iam(service, resource_arn)


def wrap_service(name: str, wrap: Callable[[Handler], Handler]) -> None:
    """Replaces ministack's handler of a service by ``wrap(handler)``."""
    _app.SERVICE_HANDLERS[name] = wrap(_app.SERVICE_HANDLERS[name])


def _extend_iam(service: RestJsonService, resource_arn: ResourceArn) -> None:
    inner_action, inner_resource = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def action(name: str, method: str, path: str, headers: Headers, body: bytes, query: Query) -> str | None:
        if name != service.name:
            found: str | None = inner_action(name, method, path, headers, body, query)
            return found
        operation = service.operation_name(method, raw_path.get())
        return f"{name}:{operation}" if operation else None

    def resource(
        name: str,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        query: Query,
        region: str,
        account: str,
    ) -> str:
        if name != service.name:
            return str(inner_resource(name, method, path, headers, body, query, region, account))
        operation = service.operation_name(method, raw_path.get()) or ""
        return resource_arn(operation, service.labels(method, raw_path.get()), caller(headers, query))

    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
