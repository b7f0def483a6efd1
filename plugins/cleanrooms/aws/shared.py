"""One async client for all triggers of a triggerer that ask the same account with the same settings.

A client of its own costs each waiting trigger half a megabyte and a connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from cleanrooms.aws.errors import CredentialsExpired


class _Open:
    """A client and how many use it; it is opened by the first and closed by the last."""

    def __init__(self) -> None:
        self.users = 0
        self.opening = asyncio.Lock()
        self.context: AbstractAsyncContextManager[Any] | None = None
        self.client: Any = None

    async def enter(self, hook: AwsBaseHook) -> Any:
        async with self.opening:
            if self.context is None:
                context: AbstractAsyncContextManager[Any] = await hook.get_async_conn()
                self.client = await context.__aenter__()
                self.context = context
        return self.client

    async def leave(self) -> None:
        if not self.users and self.context is not None:
            await self.context.__aexit__(None, None, None)


_open: dict[tuple[Any, ...], _Open] = {}


@asynccontextmanager
async def shared_client(hook: AwsBaseHook, settings: Mapping[str, Any]) -> AsyncIterator[Any]:
    """The async client of ``hook``, shared with everybody whose ``settings`` are the same.

    After :class:`~cleanrooms.aws.errors.CredentialsExpired` inside, the next to come gets a new client.

    :param settings: what the hook was made of: connection, region, verify, botocore's settings
    """
    key = (
        id(asyncio.get_running_loop()),
        hook.client_type,
        json.dumps(settings, sort_keys=True, default=str),
    )
    mine = _open.setdefault(key, _Open())
    mine.users += 1
    try:
        yield await mine.enter(hook)
    except CredentialsExpired:
        _drop(key, mine)
        raise
    finally:
        mine.users -= 1
        if not mine.users:
            _drop(key, mine)
        await mine.leave()


def _drop(key: tuple[Any, ...], mine: _Open) -> None:
    if _open.get(key) is mine:
        del _open[key]
