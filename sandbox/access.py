"""Whether IAM lets a principal do something, asked of the sandbox's own IAM.

A service of the sandbox acts with root keys, as it cannot assume a role whose trust names a service;
so it asks here first, for the role or the caller in whose name it acts.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from sandbox.clients import root_client

Context = Mapping[str, str | Sequence[str]]

_RESOURCES_PER_CALL = 50
_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.*")


def allowed(
    principal_arn: str,
    action: str,
    resource_arn: str,
    region: str,
    *,
    context: Context | None = None,
) -> bool:
    """Returns whether the principal's own policies allow ``action`` on ``resource_arn``.

    Policies of the resource (bucket policies, key policies) are not part of the answer. Root principals
    are always allowed; a principal that does not exist never is.

    :param principal_arn: a root, user or role ARN; of a role's session, the role answers
    :param context: condition keys of the request, as ``{"aws:CalledVia": ["cleanrooms.amazonaws.com"]}``
    """
    return not refused(principal_arn, action, [resource_arn], region, context=context)


def refused(
    principal_arn: str,
    action: str,
    resource_arns: Sequence[str],
    region: str,
    *,
    context: Context | None = None,
) -> list[str]:
    """Returns those of ``resource_arns`` that :func:`allowed` would say no to, asked in few calls."""
    session = _SESSION.fullmatch(principal_arn)
    if session:
        principal_arn = f"arn:aws:iam::{session[1]}:role/{session[2]}"
    if principal_arn.endswith(":root"):
        return []
    iam = root_client("iam", principal_arn.split(":")[4], region)
    missing: list[str] = []
    for start in range(0, len(resource_arns), _RESOURCES_PER_CALL):
        asked = list(resource_arns[start : start + _RESOURCES_PER_CALL])
        try:
            answer = iam.simulate_principal_policy(
                PolicySourceArn=principal_arn,
                ActionNames=[action],
                ResourceArns=asked,
                ContextEntries=_entries(context or {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            return list(resource_arns)
        decisions = [result["EvalDecision"] for result in answer["EvaluationResults"]]
        missing += [arn for arn, said in zip(asked, decisions, strict=True) if said != "allowed"]
    return missing


def _entries(context: Context) -> list[dict[str, Any]]:
    return [
        {
            "ContextKeyName": key,
            "ContextKeyType": "string" if isinstance(value, str) else "stringList",
            "ContextKeyValues": [value] if isinstance(value, str) else list(value),
        }
        for key, value in context.items()
    ]


def service_may_assume(role_arn: str, service: str, region: str, *, context: Context | None = None) -> bool:
    """Returns whether a role exists and its trust policy lets an AWS service assume it.

    :param service: the service principal, as ``glue.amazonaws.com``
    :param context: condition keys that the service would send, as ``aws:SourceAccount`` and ``aws:SourceArn``
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    try:
        role = root_client("iam", account, region).get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return False
        raise
    document = role["AssumeRolePolicyDocument"]
    if isinstance(document, str):
        document = json.loads(unquote(document))
    keys = {
        key.lower(): [value] if isinstance(value, str) else value for key, value in (context or {}).items()
    }
    effects = {
        statement["Effect"]
        for statement in _listed(document.get("Statement"))
        if _names(statement, service) and _conditions_hold(statement.get("Condition") or {}, keys)
    }
    return effects == {"Allow"}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _names(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal") or {}
    services = ["*"] if principal == "*" else _listed(principal.get("Service"))
    actions = [action.lower() for action in _listed(statement.get("Action"))]
    return (service in services or "*" in services) and any(
        fnmatch.fnmatchcase("sts:assumerole", action) for action in actions
    )


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Sequence[str]]) -> bool:
    """String and ARN operators, the ones that AWS documents against the confused deputy."""
    for operator, wanted in conditions.items():
        for key, patterns in wanted.items():
            present = keys.get(key.lower(), ())
            matched = any(
                _matches(operator, value, pattern) for value in present for pattern in _listed(patterns)
            )
            if not matched:
                return False
    return True


def _matches(operator: str, value: str, pattern: str) -> bool:
    operator = operator.removeprefix("ForAnyValue:")  # any of the values present is what is asked anyway
    if operator in ("StringLike", "ArnLike", "ArnEquals"):
        return fnmatch.fnmatchcase(value, pattern)
    return operator == "StringEquals" and value == pattern
