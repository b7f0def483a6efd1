"""Triggers of one account share a client, and none outlives those who use it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cleanrooms.aws.errors import CredentialsExpired
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.shared import shared_client
from tests.aws.service import MEMBERSHIP, Service

SETTINGS: dict[str, Any] = {"aws_conn_id": None, "region_name": "us-east-1", "botocore_config": None}


def hook() -> CleanRoomsHook:
    return CleanRoomsHook(aws_conn_id=None, region_name="us-east-1")


def shared(**changes: Any) -> Any:
    return shared_client(hook(), {**SETTINGS, **changes})


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


async def client_of_a_waiting_task(end: asyncio.Event) -> Any:
    async with shared() as client:
        await end.wait()
        return client


async def test_the_same_settings_share_a_client() -> None:
    async with shared() as one, shared() as other:
        assert one is other


async def test_other_settings_have_a_client_of_their_own() -> None:
    async with shared() as one, shared(region_name="eu-west-1") as other:
        assert one is not other


async def test_many_that_begin_at_once_open_one_client() -> None:
    end = asyncio.Event()
    waiting = [asyncio.create_task(client_of_a_waiting_task(end)) for _ in range(20)]
    await asyncio.sleep(0)
    end.set()
    assert len({id(client) for client in await asyncio.gather(*waiting)}) == 1


async def test_the_client_works_until_its_last_user_leaves(service: Service) -> None:
    query_id = service.add("STARTED")
    first = shared()
    client = await first.__aenter__()
    async with shared() as same:
        await first.__aexit__(None, None, None)
        assert same is client
        answer = await same.get_protected_query(
            membershipIdentifier=MEMBERSHIP, protectedQueryIdentifier=query_id
        )
    assert answer["protectedQuery"]["status"] == "STARTED"
    async with shared() as fresh:
        assert fresh is not client


async def test_after_expired_credentials_the_next_gets_a_new_client() -> None:
    async with shared() as old:
        with pytest.raises(CredentialsExpired):
            async with shared():
                raise CredentialsExpired("the session ended", "Nothing.")
        async with shared() as new:
            assert new is not old
