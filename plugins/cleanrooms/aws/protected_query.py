"""Take up, start, watch and cancel a protected query from a worker.

Nothing here is started twice: a query that runs is taken up, and one whose answer was lost is looked for.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from cleanrooms.aws.errors import NotYetVisible, ResponseLost, Throttled
from cleanrooms.aws.flight import ADOPTABLE, Flight, find
from cleanrooms.aws.meaning import from_aws, masked, may_have_happened
from cleanrooms.aws.query_request import QueryRequest
from cleanrooms.aws.session import renewed_after
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import CleanRoomsError, PermanentError, TransientError

if TYPE_CHECKING:
    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

log = logging.getLogger(__name__)

REPEAT_AFTER = (2.0, 5.0, 10.0, 20.0, 40.0)
LOOK_AFTER = (0.5, 2.0, 5.0, 10.0)


def describe(hook: CleanRoomsHook, membership_id: str, query_id: str) -> dict[str, Any]:
    """``ProtectedQuery``, or the error of ours that the failure means."""
    try:
        return hook.get_query(membership_id, query_id)
    except Exception as error:
        raise from_aws(error, "GetProtectedQuery", f"query {query_id} of {_named(membership_id)}") from error


def adopt(hook: CleanRoomsHook, request: QueryRequest, flight: Flight) -> dict[str, Any] | None:
    """The query of this logical run that runs already, or ended well without our knowing; None if there is none."""
    query = _remembered(hook, request, flight) or _listed(hook, request, flight)
    if query is None:
        return None
    if flight.claim and flight.claim["request"] != request.fingerprint:
        log.warning("The request was changed since query %s was started; that one is waited for", query["id"])
    log.info("Adopted protected query %s, %s, created %s", query["id"], query["status"], query["createTime"])
    return query


def start(hook: CleanRoomsHook, request: QueryRequest, flight: Flight) -> dict[str, Any]:
    """Start the query, or find it if the service took it without our hearing so.

    A refusal that is certain to have started nothing and passes soon (throttling, an IAM role not yet known
    everywhere) is repeated here. An answer that never came is not: the query is looked for instead.

    :raises ResponseLost: the answer was lost and no such query shows; the retry looks again before it starts
    """
    for pause in (*REPEAT_AFTER, None):
        try:
            return hook.start_query(request.arguments)
        except Exception as error:
            meaning = from_aws(error, "StartProtectedQuery", _named(request.membership_id))
            if may_have_happened(error):
                return _look_for(hook, request, flight, meaning)
            if pause is None or not isinstance(meaning, Throttled | NotYetVisible):
                flight.refused()
                raise meaning from error
            log.info("%s Trying again in %.0f s", meaning.what, pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


def wait(hook: CleanRoomsHook, membership_id: str, query_id: str, watch: Watch) -> dict[str, Any] | None:
    """The query when it has ended; None when the wait was over first."""
    while True:
        try:
            query = describe(hook, membership_id, query_id)
        except TransientError as trouble:
            log.warning("%s", trouble.what)
            watch.stumbled()
            renewed_after(hook, trouble)
        else:
            if watch.saw(query["status"]):
                log.info("Query %s is %s after %.0f s", query_id, query["status"], watch.elapsed)
            if query["status"] in hook.TERMINAL_STATES:
                return query
        if watch.exhausted:
            return None
        time.sleep(watch.pause())


def cancel(hook: CleanRoomsHook, membership_id: str, query_id: str) -> None:
    """Ask for the query to be cancelled; never raises, as another error is on its way where this is called."""
    try:
        running = hook.cancel_query(membership_id, query_id)
    except Exception as error:
        log.error("Could not cancel query %s, it may still run: %s", query_id, masked(str(error)))
    else:
        log.info("Query %s %s", query_id, "is being cancelled" if running else "had ended already")


def _remembered(hook: CleanRoomsHook, request: QueryRequest, flight: Flight) -> dict[str, Any] | None:
    query_id = flight.query_id
    if query_id is None:
        return None
    try:
        query = describe(hook, request.membership_id, query_id)
    except PermanentError as error:
        if error.data.get("code") != "ResourceNotFoundException":
            raise
        return None
    if query["status"] in ADOPTABLE:
        return query
    log.info("Query %s of an earlier try is %s: not taken up again", query_id, query["status"])
    return None


def _listed(hook: CleanRoomsHook, request: QueryRequest, flight: Flight) -> dict[str, Any] | None:
    try:
        return find(hook, request, flight)
    except Exception as error:
        raise from_aws(error, "ListProtectedQueries", _named(request.membership_id)) from error


def _named(membership_id: str) -> str:
    return f"membership {membership_id}"


def _look_for(
    hook: CleanRoomsHook, request: QueryRequest, flight: Flight, meaning: CleanRoomsError
) -> dict[str, Any]:
    log.warning("%s Looking whether the query was started all the same", meaning.what)
    for pause in LOOK_AFTER:
        time.sleep(pause)
        try:
            query = _listed(hook, request, flight)
        except CleanRoomsError as trouble:
            log.warning("%s", trouble.what)
            continue
        if query is not None:
            log.info("It was: protected query %s", query["id"])
            return query
    raise ResponseLost(
        f"{meaning.what} No query that writes to {request.destination} shows.",
        "Nothing: the retry looks again before it starts one.",
    )
