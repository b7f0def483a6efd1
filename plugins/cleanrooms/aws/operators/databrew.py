"""Run a DataBrew job so that success means: it succeeded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from botocore.config import Config
from botocore.exceptions import ClientError

from cleanrooms.aws.flight import Store
from cleanrooms.aws.hooks.databrew import CleanRoomsDataBrewHook
from cleanrooms.aws.lineage import Lineage, dataset_of
from cleanrooms.aws.links.protected_query import DataBrewJobLink, persist
from cleanrooms.aws.meaning import masked
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.databrew import CleanRoomsDataBrewJobTrigger
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import CleanRoomsError, PermanentError, TransientError

_TODO = {
    "FAILED": "See the run's log in the DataBrew console, mend its cause, then clear the task.",
    "STOPPED": "Somebody stopped the run: ask who, then clear the task to run it again.",
    "TIMEOUT": "Give the job a longer Timeout, more nodes (MaxCapacity) or less data, then clear the task.",
}
_STOP_LOOKS = 60

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsDataBrewStartJobOperator(WaitingOperator[CleanRoomsDataBrewHook]):
    """Start a DataBrew job and wait for its run; FAILED, STOPPED and TIMEOUT fail the task.

    The provider's operator calls all three a success. A retry, also after a crash or a lost answer, goes on
    with the run that was started; a run that the kill of an earlier try is stopping is waited for, and
    another is started.

    :param job_name: the job (templated)
    :return: ``run_id``, ``job_name``, ``status``, ``duration_s``
    """

    noun = "DataBrew job run"
    store_key = "databrew_run_id"
    running = CleanRoomsDataBrewJobTrigger.running
    succeeded = frozenset({"SUCCEEDED"})

    aws_hook_class = CleanRoomsDataBrewHook
    template_fields: Sequence[str] = aws_template_fields("job_name")
    operator_extra_links = (DataBrewJobLink(),)
    ui_color = "#dff2e1"

    def __init__(self, *, job_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name

    def _link(self, context: Context, run_id: str) -> None:
        persist(context, self, self.hook, DataBrewJobLink, job_name=self.job_name)

    def lineage(self) -> Lineage:
        """The job's outputs in S3 (DescribeJob); its dataset is known to DataBrew."""
        places = [one["Location"] for one in self._client.describe_job(Name=self.job_name).get("Outputs", [])]
        outputs = [dataset_of(f"s3://{one['Bucket']}/{one.get('Key', '')}") for one in places]
        return Lineage((), outputs, self.run_id, source="awsdatabrew")

    def _submit(self) -> str:
        # A repetition of a call whose answer was lost would start a second run: it is sent once.
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client: Any = self.hook.get_client_type(
            region_name=self.hook.region_name, config=self.hook.config.merge(once)
        )
        try:
            return str(client.start_job_run(Name=self.job_name)["RunId"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            raise TransientError(
                f"{self._subject} has a run in progress that this task did not start.",
                "Nothing, the retry starts another when it has ended.",
            ) from error

    def _in_flight(self, store: Store) -> str | None:
        if run_id := store.get(self.store_key):
            self._let_stop(run_id)
        found = super()._in_flight(store)
        if found is not None:
            store.set(self._adopted_key, found)
        return found

    def _let_stop(self, run_id: str) -> None:
        """Wait until a run that is being stopped has stopped: the job takes no other before."""
        watch = Watch(min(self.waiter_delay, 10), _STOP_LOOKS)
        while self._look(run_id)["state"] == "STOPPING":
            if watch.exhausted:
                raise TransientError(
                    f"The {self.noun} {run_id} of {self._subject} is still stopping.",
                    "Nothing, the retry waits for its end.",
                )
            watch.saw("STOPPING")
            time.sleep(watch.pause())

    def _conclude(self, store: Store, run_id: str, found: Found) -> dict[str, Any]:
        adopted = store.get(self._adopted_key) == run_id
        store.delete(self._adopted_key)
        if found["state"] == "STOPPED" and adopted:
            # The kill of the try before can come after this try has found the run still running.
            self._forget(store)
            raise TransientError(
                f"Run {run_id} of {self._subject}, taken over from an earlier try, was stopped.",
                "Nothing, the retry starts another.",
            )
        return super()._conclude(store, run_id, found)

    def _describe(self, run_id: str) -> Found:
        answer = self._client.describe_job_run(Name=self.job_name, RunId=run_id)
        return {**answer, "state": answer["State"]}

    def _lost(self, since: datetime) -> str | None:
        """The newest run of the job since then."""
        return self._newest(self.running | self.succeeded, since)

    def _newest(self, states: frozenset[str], since: datetime | None = None) -> str | None:
        for page in self._client.get_paginator("list_job_runs").paginate(Name=self.job_name):
            for item in page["JobRuns"]:
                if item["State"] in states and (since is None or item["StartedOn"] >= since):
                    return str(item["RunId"])
        return None

    def _cancel(self, run_id: str) -> None:
        self._client.stop_job_run(Name=self.job_name, RunId=run_id)

    def _trigger(self, run_id: str) -> CleanRoomsDataBrewJobTrigger:
        return CleanRoomsDataBrewJobTrigger(
            self.job_name, run_id, cancel_on_kill=self.cancel_on_kill, **self._wait_arguments()
        )

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        state = found["state"]
        return PermanentError(
            f"Run {run_id} of {self._subject} ended {state}: "
            f"{masked(found.get('ErrorMessage', 'the service gives no message'))}",
            _TODO.get(state, "See the run in the DataBrew console; then clear the task."),
            state=state,
        )

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        return {"run_id": run_id, "job_name": self.job_name, "duration_s": found.get("ExecutionTime")}

    @property
    def _client(self) -> Any:
        return self.hook.conn

    @property
    def _subject(self) -> str:
        return f"DataBrew job {self.job_name}"

    @property
    def _adopted_key(self) -> str:
        return f"{self.store_key}_adopted"
