"""Base of the operators that start something remote and wait for its end."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn

from cleanrooms.aws.flight import CLOCK_SKEW, Forgetful, Store
from cleanrooms.aws.lineage import LineageMixin
from cleanrooms.aws.meaning import from_aws, masked, may_have_happened
from cleanrooms.aws.operators.base import DeferrableOperator, Hook
from cleanrooms.aws.query_request import bill
from cleanrooms.aws.session import renewed_after
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import CleanRoomsError, PermanentError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context

Found = dict[str, Any]


class WaitingOperator(LineageMixin, DeferrableOperator[Hook], Generic[Hook]):
    """Start once, wait in a worker or in the triggerer, cancel when the waiting ends without an end.

    The id is kept in the task state store while the remote work is in flight: a retry goes on with it, and
    clearing the finished task starts anew. A claim written before the start leads to work whose answer was
    lost, where the service can be asked for it.
    """

    noun: ClassVar[str]
    store_key: ClassVar[str]
    running: ClassVar[frozenset[str]]
    succeeded: ClassVar[frozenset[str]]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id: str | None = None
        self.outcome: dict[str, Any] = {}

    @abstractmethod
    def _submit(self) -> str:
        """Start, by a single call; the id."""

    @abstractmethod
    def _describe(self, run_id: str) -> Found:
        """The service's description, with its state under ``state``."""

    @abstractmethod
    def _trigger(self, run_id: str) -> Any:
        """What waits in the triggerer."""

    @abstractmethod
    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        """What an end without success means."""

    @abstractmethod
    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        """What the task hands on: ids, places and numbers only."""

    def _link(self, context: Context, run_id: str) -> None:
        """Store what the extra links need."""

    def _check(self) -> None:
        """Find what the service would refuse, before anything is started."""

    def _lost(self, since: datetime) -> str | None:
        """Id of work of ours that was started since then; None if the service cannot say."""
        return None

    def _cancel(self, run_id: str) -> None:
        """Ask for the work to be ended; not every service can."""

    @property
    @abstractmethod
    def _subject(self) -> str:
        """What is acted on, in words."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Go on with what runs, or start; then wait or defer."""
        store = _store(context)
        run_id = self.run_id = self._in_flight(store) or self._start(store)
        self._link(context, run_id)
        if not self.wait_for_completion:
            self._forget(store)
            return {**self._result(run_id, {}), "status": "STARTED"}
        found = self._look(run_id)
        if found["state"] in self.running and self.deferrable:
            self._defer(self._trigger(run_id))
        watch = Watch(self.waiter_delay, self.waiter_max_attempts)
        while found["state"] in self.running:
            if watch.exhausted:
                self._give_up(store, "its waiting attempts were used up")
            time.sleep(watch.pause())
            try:
                found = self._look(run_id)
            except TransientError as trouble:
                self.log.warning("%s", trouble.what)
                watch.stumbled()
                renewed_after(self.hook, trouble)
                continue
            if watch.saw(found["state"]):
                self.log.info("The %s %s is %s", self.noun, run_id, found["state"])
        return self._conclude(store, run_id, found)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask how it ended: the trigger only says that the wait is over."""
        store = _store(context)
        run_id = self.run_id = (event or {}).get("run_id") or store.get(self.store_key)
        assert run_id is not None, "the id is stored before the task defers"
        found = self._look(run_id)
        if found["state"] in self.running:
            if event is not None and event["status"] == "error":
                kind = PermanentError if event["permanent"] else TransientError
                raise kind(event["message"], event["todo"])
            self._give_up(store, "its waiting attempts were used up")
        return self._conclude(store, run_id, found)

    def on_kill(self) -> None:
        """Cancel; does not wait for the end."""
        if self.run_id and self.cancel_on_kill:
            self._end(self.run_id)

    def _in_flight(self, store: Store) -> str | None:
        run_id: str | None = store.get(self.store_key)
        claim = store.get(self._claim_key)
        if run_id is None and claim is not None:
            run_id = self._lost(datetime.fromisoformat(claim) - CLOCK_SKEW)
        if run_id is None:
            return None
        state = self._look(run_id)["state"]
        if state not in self.running | self.succeeded:
            self.log.info("The %s %s of an earlier try is %s: starting another", self.noun, run_id, state)
            self._forget(store)
            return None
        self.log.info("Going on with %s %s of an earlier try", self.noun, run_id)
        store.set(self.store_key, run_id)
        return run_id

    def _start(self, store: Store) -> str:
        self._check()
        if store.get(self._claim_key) is None:
            store.set(self._claim_key, datetime.now(UTC).isoformat())
        try:
            run_id = self._submit()
        except Exception as error:
            meaning = from_aws(error, f"Start of the {self.noun}", self._subject)
            if not may_have_happened(error):
                store.delete(self._claim_key)
            raise meaning from error
        store.set(self.store_key, run_id)
        self.log.info("Started %s %s for %s", self.noun, run_id, self._subject)
        return run_id

    def _look(self, run_id: str) -> Found:
        try:
            return self._describe(run_id)
        except Exception as error:
            raise from_aws(
                error, f"Description of the {self.noun}", f"{run_id} of {self._subject}"
            ) from error

    def _conclude(self, store: Store, run_id: str, found: Found) -> dict[str, Any]:
        self._forget(store)
        if found["state"] not in self.succeeded:
            raise self._error(run_id, found)
        self.log.info("The %s %s ended %s%s", self.noun, run_id, found["state"], self._bill(found))
        self.outcome = self._result(run_id, found)
        return {**self.outcome, "status": found["state"]}

    def _bill(self, found: Found) -> str:
        units = found.get("statistics", {}).get("billedResourceUtilization", {}).get("units")
        return "" if units is None else f", {bill(units)}"

    def _abandon(self, context: Context, why: str) -> NoReturn:
        store = _store(context)
        self.run_id = store.get(self.store_key)
        self._give_up(store, why)

    def _give_up(self, store: Store, why: str) -> NoReturn:
        if self.run_id and self.cancel_on_kill:
            self._end(self.run_id)
            self._forget(store)
        raise PermanentError(
            f"The {self.noun} {self.run_id} of {self._subject} had not ended when {why}.",
            "Give it more time (waiter_max_attempts, execution_timeout), then clear the task.",
        )

    def _end(self, run_id: str) -> None:
        try:
            self._cancel(run_id)
        except Exception as error:
            self.log.warning("Could not cancel %s %s: %s", self.noun, run_id, masked(str(error)))

    def _forget(self, store: Store) -> None:
        store.delete(self.store_key)
        store.delete(self._claim_key)

    @property
    def _claim_key(self) -> str:
        return f"{self.store_key}_claim"


def _store(context: Mapping[str, Any]) -> Store:
    store: Store | None = context.get("task_state_store")
    return Forgetful() if store is None else store
