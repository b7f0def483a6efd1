"""Work for ministack's event loop, which alone changes its tables; from any thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context

from ministack.core import responses

_loop: asyncio.AbstractEventLoop | None = None
# What services have to tell before the first request, as of queries that a restart interrupted.
_early: list[Callable[[], None]] = []


def use_running_loop() -> None:
    """Makes the event loop of the caller the one that works."""
    global _loop
    _loop = asyncio.get_running_loop()
    while _early:
        _hand_over(_loop, _early.pop(0))


def soon(account: str, region: str, work: Callable[[], object]) -> None:
    """Does ``work`` in the name of an account in a Region, soon and best effort: nobody hears of its end."""

    def scoped() -> None:
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        work()

    if _loop is None:
        _early.append(scoped)
    elif not _loop.is_closed():
        _hand_over(_loop, scoped)


def _hand_over(loop: asyncio.AbstractEventLoop, scoped: Callable[[], None]) -> None:
    # The account and the Region live in the call's context.
    loop.call_soon_threadsafe(scoped, context=copy_context())
