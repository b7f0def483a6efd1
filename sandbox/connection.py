"""Ends a client's connection without a reply, as a broken network would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def cut(send: Send) -> None:
    """Aborts the connection that ``send`` answers on.

    ASGI has no word for it and hypercorn answers 500 for an application that does not reply, so this
    walks from hypercorn's own ``send`` to the transport; ``tests/sandbox/test_faults.py`` shows that it works.

    :param send: the callable that hypercorn passed to the application, not a wrapper of it
    """
    stream: Any = send
    protocol = stream.__self__.send
    server = protocol.__self__.send
    server.__self__.writer.transport.abort()


async def read_body(receive: Receive) -> bytes:
    """Returns the whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Returns a ``receive`` that gives ``body`` first and then what comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return pending.pop() if pending else await receive()

    return next_message


def cut_upload(receive: Receive, send: Send, limit: int) -> Receive:
    """Returns a ``receive`` that cuts the connection once the body is longer than ``limit`` bytes."""
    seen = 0

    async def next_message() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen <= limit:
            return message
        cut(send)
        return {"type": "http.disconnect"}

    return next_message
