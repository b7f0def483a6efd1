"""Sessions that end before their time."""

from __future__ import annotations

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from cleanrooms.aws.errors import CredentialsExpired


def renewed_after(hook: AwsBaseHook, trouble: Exception) -> None:
    """Let the hook's next call open a new session, if the last one failed for want of a valid one.

    A refreshable session renews what is about to expire, but not what was ended before its time.
    """
    if isinstance(trouble, CredentialsExpired):
        for kept in ("conn", "unrepeating_client"):
            hook.__dict__.pop(kept, None)
