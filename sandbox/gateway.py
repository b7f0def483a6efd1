"""The thin layer in front of ministack: faults on demand, the audit, health.

``POST /_sandbox/faults`` puts one fault or a list of them in force (``[]`` clears them), ``GET`` shows
what is left of them. ``GET /_sandbox/audit?after=N`` lists the calls since call number N.
``GET /_sandbox/health`` answers when the sandbox does. ``GET`` and ``POST /_sandbox/clock``: the clean
room's clock, see :mod:`sandbox.clock`. ``DELETE /_sandbox/sessions`` ends all sessions of assumed roles,
whatever time their holders were promised.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sandbox import clock
from sandbox.audit import Audit, error_code
from sandbox.connection import Message, Receive, Send, cut, cut_upload, read_body, replayed
from sandbox.faults import Fault, FaultBook, InvalidFault
from sandbox.ministack.callers import claimed_by
from sandbox.ministack.calls import begin_call
from sandbox.ministack.sessions import end_sessions
from sandbox.ministack.trail import record_call
from sandbox.operations import is_form, redacted
from sandbox.request import Request

Application = Callable[[Any, Receive, Send], Awaitable[None]]

_ADMIN = "/_sandbox/"
_ERROR_BODY_KEPT = 4096  # bytes: an error's code stands at the beginning
# Keys and signatures that prove nobody: AWS writes no account's trail for them.
_UNPROVEN = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class Gateway:
    """An ASGI application around another one."""

    def __init__(self, inner: Application, audit: Audit) -> None:
        self._inner = inner
        self._audit = audit
        self._faults = FaultBook()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
        elif scope["path"].startswith(_ADMIN):
            await self._administer(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Any, receive: Receive, send: Send) -> None:
        request = Request.of(scope)
        if is_form(request.headers):
            body = await read_body(receive)
            request, receive = request.with_body(body), replayed(body, receive)
        begin_call(request.path, request.headers, request.query)
        fault = self._faults.take(request)
        reply = _Reply(send, partial(self._finish, request, fault))
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.cut_before:
                reply.end()
                cut(send)
                return
            if fault.status is not None:
                await read_body(receive)
                await _answer(reply.send, *fault.reply(request))
                return
            if fault.cut_after is not None:
                receive = cut_upload(receive, send, fault.cut_after)
            reply.lost = fault.cut_after_response
        await self._inner(scope, receive, reply.send)
        reply.end()
        if reply.lost:
            cut(send)

    def _finish(self, request: Request, fault: Fault | None, reply: _Reply) -> None:
        """Runs before the last byte leaves, so that a client finds its call in the audit."""
        who = claimed_by(request.headers, request.query)
        error = error_code(reply.status, reply.headers, bytes(reply.body))
        self._audit.record(
            account=who.account,
            principal=who.principal_arn,
            service=request.service,
            operation=request.operation,
            status=reply.status,
            error=error,
            fault=(fault.effects or ["delay"])[0] if fault else "",
            internal=request.internal,
        )
        reached = reply.status and not (fault and fault.status is not None)
        if reached and error not in _UNPROVEN and _belongs_in_trail(request):
            record_call(
                who,
                request.service,
                request.operation,
                request.method,
                partial(redacted, request.service, request.operation),
                request_id=reply.headers.get("x-amzn-requestid", "") or str(uuid.uuid4()),
                user_agent=request.headers.get("user-agent", ""),
                error=error,
            )

    async def _administer(self, scope: Any, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        status, document = self._administered(scope, body)
        await _answer(send, status, {"content-type": "application/json"}, json.dumps(document).encode())

    def _administered(self, scope: Any, body: bytes) -> tuple[int, Any]:
        match scope["method"], scope["path"].removeprefix(_ADMIN):
            case "GET", "health":
                return 200, {"status": "ok"}
            case "GET", "audit":
                after = dict(Request.of(scope).query).get("after", ["0"])[0]
                return (
                    (200, self._audit.calls(int(after)))
                    if after.isdigit()
                    else (400, {"error": "after: a number"})
                )
            case "GET", "faults":
                return 200, self._faults.listed()
            case "POST", "faults":
                try:
                    self._faults.replace(json.loads(body or b"[]"))
                except (InvalidFault, ValueError) as problem:
                    return 400, {"error": str(problem)}
                return 200, self._faults.listed()
            case "GET", "clock":
                return 200, clock.shown()
            case "POST", "clock":
                try:
                    clock.set_from(json.loads(body or b"{}"))
                except (clock.InvalidClock, ValueError) as problem:
                    return 400, {"error": str(problem)}
                return 200, clock.shown()
            case "DELETE", "sessions":
                return 200, {"ended": end_sessions()}
        return 404, {
            "error": "the sandbox has GET health, GET audit, GET and POST faults and clock, DELETE sessions here"
        }


class _Reply:
    """Passes a reply on and keeps what the audit needs; ``lost`` ones reach nobody."""

    def __init__(self, send: Send, finish: Callable[[_Reply], None]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.lost = False
        self._send = send
        self._finish: Callable[[_Reply], None] | None = finish

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            if self.status >= 400 and len(self.body) < _ERROR_BODY_KEPT:
                self.body += message.get("body", b"")[:_ERROR_BODY_KEPT]
            if not message.get("more_body"):
                self.end()
        if not self.lost:
            await self._send(message)

    def end(self) -> None:
        """Reports the call, once."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish(self)


def _belongs_in_trail(request: Request) -> bool:
    """LookupEvents shows management events: not what happens to objects, nor the look-ups themselves."""
    if not request.service or not request.operation or request.internal:
        return False
    of_object = request.service == "s3" and "/" in request.path.strip("/")
    return not of_object and request.service != "cloudtrail"


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    listed.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
