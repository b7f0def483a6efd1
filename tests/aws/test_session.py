"""A hook whose session has ended opens another one; any other trouble leaves its clients alone."""

from __future__ import annotations

import pytest

from cleanrooms.aws.errors import CredentialsExpired, Throttled
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.session import renewed_after


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> CleanRoomsHook:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return CleanRoomsHook(aws_conn_id=None, region_name="us-east-1")


def test_expired_credentials_make_the_next_call_open_a_session(hook: CleanRoomsHook) -> None:
    before = hook.conn, hook.unrepeating_client
    renewed_after(hook, CredentialsExpired("the session ended", "Nothing."))
    assert hook.conn is not before[0]
    assert hook.unrepeating_client is not before[1]


def test_throttling_keeps_the_session(hook: CleanRoomsHook) -> None:
    before = hook.conn
    renewed_after(hook, Throttled("slow down", "Nothing."))
    assert hook.conn is before
