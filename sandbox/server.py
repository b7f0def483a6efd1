"""Starts and stops the sandbox: one process, one endpoint on the loopback."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from sandbox import settings
from sandbox.clients import use_endpoint
from sandbox.connection import Receive, Send

HOST = "127.0.0.1"


class PortBusy(Exception):
    """Another process listens on the port."""


def serve(port: int, data: Path | None, host: str = HOST) -> None:
    """Serves until SIGTERM or SIGINT, then writes the state and returns.

    Prints one line on standard output when the sandbox takes requests.

    :param port: 0 takes a free one, which the line names
    :param data: folder that keeps the state over restarts; without one there is none
    :param host: address to listen on; anybody who reaches it acts with the root keys of all accounts
    :raises PortBusy: nothing was started
    """
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    if data is not None:
        data = data.resolve()
        data.mkdir(parents=True, exist_ok=True)
    settings.apply(port, data)
    use_endpoint(f"http://{HOST}:{port}")
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)

    # ministack reads the environment when it is imported.
    from sandbox.assembly import assemble

    application, close = assemble(data)

    def announce() -> None:
        print(f"sandbox ready on http://{host}:{port}", flush=True)

    try:
        asyncio.run(_run(_announcing(application, announce), listener))
    finally:
        close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as problem:
        listener.close()
        raise PortBusy(
            f"The sandbox cannot listen on {host}:{port}: {problem.strerror}. "
            "Stop the process that uses the port, or choose another one with --port."
        ) from problem
    return listener


async def _run(application: Any, listener: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.accesslog = None
    config.errorlog = None
    await hypercorn_serve(application, config, shutdown_trigger=stop.wait)


def _announcing(application: Any, announce: Callable[[], None]) -> Any:
    """The listener takes connections already, so start-up completed means ready."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        async def announced(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                announce()

        await application(scope, receive, announced if scope["type"] == "lifespan" else send)

    return app
