"""Puts the sandbox together: ministack, our services and corrections in it, the gateway in front."""

from __future__ import annotations

import asyncio
import os
import pkgutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sandbox import bus, inside
from sandbox.athena import reason, to_duckdb
from sandbox.audit import Audit
from sandbox.crawl_runs import CrawlRuns
from sandbox.databrew import DataBrew, names
from sandbox.gateway import Gateway
from sandbox.glue import Glue
from sandbox.glue_jobs import JobRuns
from sandbox.ministack.athena import rewrite_athena
from sandbox.ministack.callers import caller
from sandbox.ministack.events import put_event
from sandbox.ministack.inside import Inside
from sandbox.ministack.services import Handler, Headers, Query, add_service, asgi, raw_path, wrap_service
from sandbox.ministack.sessions import role_session
from sandbox.ministack.simulation import complete_simulation
from sandbox.ministack.trail import describe_call, take_over_trail
from sandbox.resources import clean_rooms_arn
from sandbox.trail import described
from sandbox.wire import Reply, RestJsonService

# Names another factory of the service than ours, ``module:name``, for tests of the wire alone.
IMPLEMENTATION = "SANDBOX_CLEAN_ROOMS"


def assemble(data: Path | None) -> tuple[Any, Callable[[], None]]:
    """Returns the ASGI application and what to call when it has stopped.

    :param data: folder for the state, ``None`` to keep none
    """
    bus.use(put_event)
    inside.use(Inside())
    complete_simulation()
    take_over_trail()
    rewrite_athena(to_duckdb, reason)
    runs = CrawlRuns(data / "crawls.json" if data else None)
    jobs = JobRuns(role_session, data / "glue-jobs" if data else None)
    wrap_service("glue", lambda inner: Glue(inner, runs, jobs).handle)
    factory = pkgutil.resolve_name(os.environ.get(IMPLEMENTATION, "sandbox.cleanrooms:CleanRooms"))
    clean_rooms = factory(data / "cleanrooms" if data else None)
    add_clean_rooms(clean_rooms)
    databrew = DataBrew(data / "databrew" if data else None)
    brewing = RestJsonService("databrew", databrew)
    add_service(brewing, _threaded(brewing), names.authorised)
    audit = Audit(data / "audit.jsonl" if data else None)

    def close() -> None:
        jobs.close()
        clean_rooms.close()
        databrew.close()
        audit.close()

    return Gateway(asgi, audit), close


def add_clean_rooms(implementation: Any) -> None:
    """Serves ``cleanrooms`` with ``implementation``.

    :param implementation: see :mod:`sandbox.wire`; its ``owner_of_collaboration(identifier)`` names the
        account in the ARN that IAM policies are compared with, ``None`` when there is no such collaboration
    """
    service = RestJsonService("cleanrooms", implementation)
    add_service(
        service,
        _threaded(service),
        partial(clean_rooms_arn, implementation.owner_of_collaboration),
    )


def _threaded(service: RestJsonService) -> Handler:
    """Off the event loop: an implementation calls the sandbox's own S3, Glue and IAM."""

    async def handler(method: str, path: str, headers: Headers, body: bytes, query: Query) -> Reply:
        who = caller(headers, query)
        sent = raw_path.get()
        reply = await asyncio.to_thread(service.handle, method, sent, query, headers, body, who)
        describe_call(described(service, method, sent, query, headers, body, reply))
        return reply

    return handler
