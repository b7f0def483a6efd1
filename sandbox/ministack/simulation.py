"""IAM simulation: ministack's own ignores ContextEntries, all ARNs but the first, and boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ministack.core import iam_evaluator, responses
from ministack.services import iam as _iam


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
