"""The one module that touches ministack's private names; ``tests/sandbox/test_ministack.py`` pins each.

ministack reads its settings when it is imported: set the environment before importing this module
(:mod:`sandbox.settings`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from typing import Any, NamedTuple

import ministack.app as _app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import athena as _athena
from ministack.services import cloudtrail as _cloudtrail
from ministack.services import eventbridge as _eventbridge
from ministack.services import glue as _glue
from ministack.services import iam as _iam
from ministack.services import s3 as _s3
from ministack.services import sts as _sts

from sandbox.bus import Event
from sandbox.wire import Caller, Reply, RestJsonService

Headers = dict[str, str]
Query = dict[str, list[str]]
Handler = Callable[[str, str, Headers, bytes, Query], Awaitable[Reply]]
ResourceArn = Callable[[str, Mapping[str, str], Caller], str]

asgi = _app.app

# The path as sent: ministack hands decoded ones on, in which an ARN's slashes look like separators.
raw_path: ContextVar[str] = ContextVar("sandbox_raw_path", default="")
# What ministack would have written to CloudTrail about the call, picked up by record_call.
_trail: ContextVar[dict[str, Any] | None] = ContextVar("sandbox_trail", default=None)


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


def caller(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> Caller:
    """Returns who signed the current request; a role's session counts as its role."""
    account = responses.get_account_id()
    return Caller(
        account=account,
        region=responses.get_region(),
        access_key=router.extract_access_key_id(headers, query) or "",
        principal_arn=_role_of(iam_evaluator.caller_arn(), account),
    )


def _role_of(principal_arn: str, account: str) -> str:
    if ":assumed-role/" not in principal_arn:
        return principal_arn
    name = principal_arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
    role = _iam._roles.get_scoped(account, None, name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{account}:role/{name}"


def end_sessions() -> int:
    """Lets the credentials of all sessions of assumed roles expire now; returns how many there were."""
    for session in _sts._sessions.values():
        session["Expiration"] = 0.0
    return len(_sts._sessions)


class QueryFailed(Exception):
    """Athena could not run a statement; its text becomes ``StateChangeReason``."""


def rewrite_athena(rewrite: Callable[[str], str], reason: Callable[[Exception], str]) -> None:
    """Passes every statement that Athena would run through ``rewrite``, and what fails through ``reason``."""
    inner = _athena._run_duckdb

    async def run(query: str, database: str | None, catalog: str | None = None) -> Any:
        try:
            return await inner(rewrite(query), database, catalog)
        except Exception as problem:
            raise QueryFailed(reason(problem)) from None

    _athena._run_duckdb = run


# ---- EventBridge: PutEvents refuses sources of AWS; ministack has a door for its own emitters.

_loop: asyncio.AbstractEventLoop | None = None


def put_event(account: str, region: str, event: Event) -> None:
    """Puts an event of a service on an account's default bus, soon and best effort; from any thread."""
    if _loop is None or _loop.is_closed():
        return
    entry = {
        "Source": event.source,
        "DetailType": event.kind,
        "Detail": json.dumps(event.detail),
        "Resources": list(event.resources),
    }

    def put() -> None:
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        _eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    # ministack's tables are the event loop's; the account and the Region live in the call's context.
    _loop.call_soon_threadsafe(put, context=copy_context())


# ---- Look-ups of sandbox.inside: other threads only read, one entry at a time.


class Inside:
    """Implements :class:`sandbox.inside.Services`."""

    def glue_table(self, account: str, region: str, database: str, name: str) -> Mapping[str, Any] | None:
        """Returns a table as ``GetTable`` does, ``None`` when the catalog has none."""
        found: Mapping[str, Any] | None = _glue._tables.get_scoped(account, region, f"{database}/{name}")
        return found or None

    def has_bucket(self, account: str, name: str) -> bool:
        """Returns whether the account owns a bucket of that name."""
        return bool(_s3._buckets.contains_scoped(account, None, name))


# ---- IAM simulation: ministack's own ignores ContextEntries, all ARNs but the first, and boundaries.


def complete_simulation() -> None:
    """Makes ``SimulatePrincipalPolicy`` honour ContextEntries, every ResourceArn and boundaries."""
    _iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = _simulate


def _simulate(parameters: Mapping[str, Any]) -> Any:
    source = _iam._p(parameters, "PolicySourceArn") or ""
    found = _policies(source)
    if found is None:
        return _iam._error(404, "NoSuchEntity", f"The principal {source} cannot be found.", ns="iam")
    context = _context_entries(parameters)
    members = "".join(
        _evaluation(source, action, resource, found, context)
        for action in _members(parameters, "ActionNames")
        for resource in _members(parameters, "ResourceArns") or ["*"]
    )
    return _iam._xml(
        200,
        "SimulatePrincipalPolicyResponse",
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{members}</EvaluationResults>"
        "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>",
        ns="iam",
    )


class _Policies(NamedTuple):
    identity: Any
    limits: Any


def _policies(principal_arn: str) -> _Policies | None:
    account, _, resource = principal_arn.partition("::")[2].partition(":")
    kind, _, path = resource.partition("/")
    name = path.rsplit("/", 1)[-1]
    if account != responses.get_account_id():
        return None
    if kind == "role" and _iam._roles.get_scoped(account, None, name):
        identity = iam_evaluator._gather_role_policies(name, account)
        return _Policies(identity, iam_evaluator._permissions_boundary(_iam._roles, name, account))
    if kind == "user" and _iam._users.get_scoped(account, None, name):
        identity = iam_evaluator._gather_user_policies(name, account)
        return _Policies(identity, iam_evaluator._permissions_boundary(_iam._users, name, account))
    return None


def _evaluation(source: str, action: str, resource: str, policies: _Policies, context: Any) -> str:
    request = iam_evaluator.EvalContext(
        principal_arn=source,
        principal_type="User" if ":user/" in source else "AssumedRole",
        principal_account=responses.get_account_id(),
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        service_context=context,
    )
    decision = iam_evaluator.evaluate(request, policies.identity, *policies.limits).decision
    said = {"Allow": "allowed", "Deny": "explicitDeny"}.get(decision, "implicitDeny")
    return (
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
        f"<EvalDecision>{said}</EvalDecision></member>"
    )


def _members(parameters: Mapping[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    while value := _iam._p(parameters, f"{prefix}.member.{len(found) + 1}"):
        found.append(value)
    return found


def _context_entries(parameters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    entries: dict[str, str | list[str]] = {}
    number = 1
    while key := _iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
        entry = f"ContextEntries.member.{number}"
        values = _members(parameters, f"{entry}.ContextKeyValues")
        is_list = (_iam._p(parameters, f"{entry}.ContextKeyType") or "").endswith("List")
        entries[key.lower()] = values if is_list else "".join(values[:1])
        number += 1
    return entries


# ---- CloudTrail: ministack's own names REST and query calls "POST.<service>" and drops refused calls.


def take_over_trail() -> None:
    """Stops ministack's own CloudTrail entries: :func:`record_call` writes them instead."""

    def remember(
        service: str,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        query: Query,
        request_id: str,
        region: str,
    ) -> None:
        notes = _trail.get()
        if notes is not None:
            notes["resources"] = _app._ct_resources(service, method, path, body)
            notes["parameters"] = _app._ct_request_params(headers, body, query)

    _app._maybe_record_cloudtrail = remember


def begin_call(path: str, headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> None:
    """Starts the notes on one request; ``path`` as sent. Call it in the task that calls :data:`asgi`."""
    global _loop
    _loop = asyncio.get_running_loop()
    raw_path.set(path)
    _trail.set({})
    key = router.extract_access_key_id(headers, query)
    if key:
        with contextlib.suppress(iam_evaluator.AmbiguousAccessKeyError):
            responses.set_request_account_id(_app._request_account_scope(key))
    responses.set_request_region(router.extract_region(headers, query))


def describe_call(described: Mapping[str, Any]) -> None:
    """Notes members of the current call's CloudTrail event; :func:`record_call` writes them."""
    notes = _trail.get()
    if notes is not None:
        notes["described"] = dict(described)


def claimed_by(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> Caller:
    """Returns whose key the current request names, genuine or not; no ARN where the key is unknown."""
    account, region = responses.get_account_id(), responses.get_region()
    key = router.extract_access_key_id(headers, query) or ""
    principal = iam_evaluator.resolve_principal(key, account) if key else None
    arn = str(getattr(principal, "arn", ""))
    return Caller(account, region, key, _role_of(arn, account))


def record_call(
    who: Caller,
    service: str,
    operation: str,
    method: str,
    redact: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    request_id: str,
    user_agent: str,
    error: str,
) -> None:
    """Writes one finished call to the caller's CloudTrail, refused ones with their error code."""
    notes = _trail.get() or {}
    _cloudtrail.record_event(
        service=service,
        event_name=operation,
        username=who.principal_arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1],
        access_key_id=who.access_key,
        resources=notes.get("resources", []),
        region=who.region,
        request_id=request_id,
        user_agent=user_agent,
        request_params=redact(notes.get("parameters", {})),
        method=method,
    )
    written = _cloudtrail._get_event_queue()[-1]
    event = json.loads(written["CloudTrailEvent"])
    event["userIdentity"]["arn"] = who.principal_arn
    event |= {"managementEvent": True, "eventCategory": "Management", **notes.get("described", {})}
    if error:
        event["errorCode"] = error
    written["CloudTrailEvent"] = json.dumps(event)


# ---- STS: a role that trusts a service cannot be assumed by anybody's call here.


def role_session(role_arn: str, name: str) -> dict[str, str]:
    """Makes credentials of a role, as a service that may assume it gets them; environment variables of boto3."""
    account, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "UserId": f"{role}:{name}",
        "SecretAccessKey": secrets.token_hex(20),
        "SessionToken": secrets.token_hex(40),
    }
    access_key = f"ASIA{secrets.token_hex(8).upper()}"
    _sts.register_session(access_key, dict(session))
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
