"""What the task state store remembers of a task's query while it is in flight, and how a lost one is found.

The store outlives retries, and in Airflow 3.3 a clear as well. So it holds the id only until the task ends:
a cleared, finished task finds nothing in flight and asks anew, while a crashed try finds its query again.
Before each StartProtectedQuery a claim is written; a claim without an id is a call whose answer was lost.

A worker can also die after the query ended well and before Airflow knows it. Clearing a task raises its
``max_tries``, retrying does not: so a retry that finds a success of its own generation takes that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from cleanrooms.aws.query_request import QueryRequest

if TYPE_CHECKING:
    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

log = logging.getLogger(__name__)

IN_FLIGHT = ("SUBMITTED", "STARTED")
ADOPTABLE = (*IN_FLIGHT, "SUCCESS")
CLOCK_SKEW = timedelta(minutes=2)


class Store(Protocol):
    """The part of Airflow's task state store that is used."""

    def get(self, key: str, default: Any = None) -> Any: ...
    def set(self, key: str, value: Any) -> None: ...
    def delete(self, key: str) -> None: ...


class Forgetful:
    """Stands in for a missing store: remembers for this try only."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        self._values[key] = value

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


class Flight:
    """The memory of one task instance about its query.

    :param context: Airflow's task context; without ``task_state_store`` nothing is remembered and only
        listing the membership's queries finds a lost one
    """

    QUERY = "cleanrooms_query_id"
    CLAIM = "cleanrooms_claim"
    LAST = "last_query_id"
    GENERATION = "cleanrooms_last_generation"

    def __init__(self, context: Mapping[str, Any]) -> None:
        store: Store | None = context.get("task_state_store")
        self._durable = store is not None
        self._store: Store = Forgetful() if store is None else store
        self._run_started = _run_start(context)
        self._try_number = getattr(context.get("ti"), "try_number", 1)
        # Clearing sets max_tries to try_number + retries: a DAG with other retries is another generation.
        retries = getattr(context.get("task"), "retries", 0)
        self._generation = [getattr(context.get("ti"), "max_tries", 0), retries]
        self._first_claim = True
        if not self._durable:
            log.warning("No task state store: a query of an earlier try can only be found by its prefix.")

    @property
    def query_id(self) -> str | None:
        """Id of the query in flight; one that this task already returned does not count.

        Unless this is a retry of the try that returned it: then Airflow never got to know.
        """
        query_id, last = self._store.get(self.QUERY), self.last_query_id
        if self._returned_unseen:
            return query_id or last
        return query_id if query_id != last else None

    @property
    def forced(self) -> bool:
        """Whether an earlier try already started the query that a person asked for on top."""
        return bool(self.claim and self.claim["forced"]) or self._returned_unseen

    @property
    def _returned_unseen(self) -> bool:
        return self._store.get(self.GENERATION) == self._generation

    @property
    def last_query_id(self) -> str | None:
        """Id of the query that the task last finished with."""
        last: str | None = self._store.get(self.LAST)
        return last

    @property
    def claim(self) -> dict[str, Any] | None:
        """When and for which request a start was last attempted, if it is not finished."""
        claim: dict[str, Any] | None = self._store.get(self.CLAIM)
        return claim

    @property
    def lost_since(self) -> datetime | None:
        """Since when a query of ours may exist that the store does not know; None if there can be none."""
        if claim := self.claim:
            return datetime.fromisoformat(claim["at"]) - CLOCK_SKEW
        if not self._durable and self._try_number > 1:
            return self._run_started - CLOCK_SKEW
        return None

    def announce(self, request: QueryRequest, *, forced: bool) -> None:
        """Write the claim; must be durable before the call, so errors pass through."""
        claim = self.claim
        self._first_claim = claim is None
        if claim is None or forced:
            claim = {"at": datetime.now(UTC).isoformat()}
        replaced = {*claim.get("not", []), *filter(None, [self.query_id, self.last_query_id])}
        claim |= {"request": request.fingerprint, "forced": forced, "not": sorted(replaced)}
        self._store.set(self.CLAIM, claim)
        self._store.delete(self.QUERY)
        self._store.delete(self.GENERATION)

    def took_off(self, query_id: str) -> None:
        """Remember the id. A failure here loses nothing: the claim leads to the query."""
        try:
            self._store.set(self.QUERY, query_id)
        except Exception:
            log.warning("Could not store the id of query %s; a retry finds it by listing.", query_id)

    def refused(self) -> None:
        """The call started nothing. A claim of an earlier call, whose answer was lost, stays."""
        if self._first_claim:
            self._store.delete(self.CLAIM)

    def landed(self, query_id: str, *, succeeded: bool = False) -> None:
        """Forget the flight, so that clearing the task asks anew."""
        try:
            self._store.set(self.LAST, query_id)
            if succeeded:
                self._store.set(self.GENERATION, self._generation)
            else:
                self._store.delete(self.GENERATION)
            self._store.delete(self.QUERY)
            self._store.delete(self.CLAIM)
        except Exception:
            log.warning("Could not update the task state store after query %s.", query_id)


def find(hook: CleanRoomsHook, request: QueryRequest, flight: Flight) -> dict[str, Any] | None:
    """The membership's query that asks what ``request`` asks, if one is running or was lost.

    Looked for are always running queries that write to our prefix (a second scheduler, a second run of the
    same interval), and, when an answer was lost, also queries that succeeded since. The statuses are listed
    in the order in which a query passes through them, so one that moves meanwhile is still seen.
    """
    since = flight.lost_since
    if since is None and request.output_key is None:
        return None
    claim = flight.claim or {}
    known = {flight.last_query_id, *claim.get("not", [])}
    for status in IN_FLIGHT if since is None else ADOPTABLE:
        try:
            query = _find_in(hook, request, status, since, known)
        except ClientError as error:
            if since is not None or error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            log.warning("Not allowed to list protected queries: cannot tell whether this one runs already.")
            return None
        if query is not None:
            return query
    return None


def _find_in(
    hook: CleanRoomsHook, request: QueryRequest, status: str, since: datetime | None, known: set[str | None]
) -> dict[str, Any] | None:
    for item in hook.iterate_queries(request.membership_id, status=status):
        if since is not None and item["createTime"] < since:
            return None
        if item["id"] in known or item["membershipId"] != request.membership_id:
            continue
        query = hook.get_query(request.membership_id, item["id"])
        if query["status"] in ADOPTABLE and request.is_asked_by(query):
            return query
    return None


def _run_start(context: Mapping[str, Any]) -> datetime:
    started = getattr(context.get("dag_run"), "start_date", None)
    return started if isinstance(started, datetime) else datetime.now(UTC) - timedelta(days=1)
