"""Who sends the current request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ministack.core import iam_evaluator, responses, router
from ministack.services import iam as _iam

from sandbox.wire import Caller


def caller(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> Caller:
    """Returns who signed the current request; a role's session counts as its role."""
    account = responses.get_account_id()
    return Caller(
        account=account,
        region=responses.get_region(),
        access_key=router.extract_access_key_id(headers, query) or "",
        principal_arn=_role_of(iam_evaluator.caller_arn(), account),
    )


def claimed_by(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> Caller:
    """Returns whose key the current request names, genuine or not; no ARN where the key is unknown."""
    account, region = responses.get_account_id(), responses.get_region()
    key = router.extract_access_key_id(headers, query) or ""
    principal = iam_evaluator.resolve_principal(key, account) if key else None
    arn = str(getattr(principal, "arn", ""))
    return Caller(account, region, key, _role_of(arn, account))


def _role_of(principal_arn: str, account: str) -> str:
    if ":assumed-role/" not in principal_arn:
        return principal_arn
    name = principal_arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
    role = _iam._roles.get_scoped(account, None, name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{account}:role/{name}"
