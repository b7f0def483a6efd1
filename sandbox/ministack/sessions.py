"""STS: sessions of roles, begun and ended as no call of its API can."""

from __future__ import annotations

import secrets

from ministack.services import sts as _sts


def end_sessions() -> int:
    """Lets the credentials of all sessions of assumed roles expire now; returns how many there were."""
    for session in _sts._sessions.values():
        session["Expiration"] = 0.0
    return len(_sts._sessions)


def role_session(role_arn: str, name: str) -> dict[str, str]:
    """Makes credentials of a role, as a service that may assume it gets them; environment variables of boto3.

    A role that trusts a service cannot be assumed by anybody's call here.
    """
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
