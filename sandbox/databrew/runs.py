"""Runs of recipe jobs."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from sandbox.cleanrooms.state import Document, Store
from sandbox.databrew import names
from sandbox.databrew.base import Brew, page
from sandbox.databrew.recipes import version_of
from sandbox.databrew.refusals import conflict, invalid, missing, over_quota
from sandbox.databrew.runner import UNFINISHED, JobRunner
from sandbox.databrew.settings import Settings
from sandbox.wire import Caller

LOG_GROUP = "/aws-glue-databrew/jobs"


class Runs(Brew):
    """Operations on job runs."""

    def __init__(self, store: Store, settings: Settings, runner: JobRunner) -> None:
        super().__init__(store, settings)
        self.runner = runner

    def start_job_run(self, caller: Caller, **request: Any) -> Document:
        """Starts a run of a job that has none in progress, with the job, dataset and recipe as they are now."""
        with self.store.transaction():
            job = self.owned(caller, "job", request["Name"])
            if any(run["State"] in UNFINISHED for run in self.store.find("run", parent=job["id"])):
                raise conflict(f"Job {request['Name']} has a run in progress.")
            busy = [r for r in self.store.find("run", owner=caller.account) if r["State"] in UNFINISHED]
            if len(busy) >= self.settings.concurrent_runs:
                raise over_quota(self.settings.concurrent_runs, "concurrent job runs per account")
            reference = job["RecipeReference"]
            version = version_of(self.owned(caller, "recipe", reference["Name"]), reference["RecipeVersion"])
            run_id = "db_" + hashlib.sha256(uuid.uuid4().bytes).hexdigest()
            run = {
                "id": f"{job['id']}|{run_id}",
                "RunId": run_id,
                "JobName": job["Name"],
                "DatasetName": job["DatasetName"],
                "RecipeReference": {**reference, "RecipeVersion": version["RecipeVersion"]},
                "Outputs": job["Outputs"],
                "State": "STARTING",
                "Attempt": 0,
                "StartedBy": caller.principal_arn,
                "StartedOn": names.now(),
                "LogSubscription": job["LogSubscription"],
                "LogGroupName": f"{LOG_GROUP}/{job['Name']}",
                "_region": caller.region,
                "_job": job,
                "_dataset": self.owned(caller, "dataset", job["DatasetName"]),
                "_steps": version["Steps"],
            }
            self.store.add("run", run, owner=caller.account, parent=job["id"])
        self.runner.start(run["id"])
        return {"RunId": run_id}

    def describe_job_run(self, caller: Caller, **request: Any) -> Document:
        """Returns a run."""
        return _shown(self._run(caller, request["Name"], request["RunId"]))

    def list_job_runs(self, caller: Caller, **request: Any) -> Document:
        """Returns the runs of a job, the latest first."""
        job = self.owned(caller, "job", request["Name"])
        runs = self.store.find("run", parent=job["id"])[::-1]
        shown, token = page(runs, request, f"runs {request['Name']}")
        return {"JobRuns": [_shown(run) for run in shown], **token}

    def stop_job_run(self, caller: Caller, **request: Any) -> Document:
        """Begins to stop a run that has not ended."""
        run = self._run(caller, request["Name"], request["RunId"])
        if self.runner.stop(run["id"]) is None and self._run(caller, request["Name"], request["RunId"])[
            "State"
        ] not in ("STOPPING", "STOPPED"):
            raise invalid(f"Job run {request['RunId']} has ended and cannot be stopped.")
        return {"RunId": request["RunId"]}

    def _run(self, caller: Caller, job: str, run_id: str) -> Document:
        found = self.store.get("run", f"{self.owned(caller, 'job', job)['id']}|{run_id}")
        if found is None:
            raise missing("job run", run_id)
        return found


def _shown(run: Document) -> Document:
    shown = {k: v for k, v in run.items() if k != "id" and not k.startswith("_") and v is not None}
    ended = run.get("CompletedOn") or names.now()
    return {**shown, "ExecutionTime": int(ended - run["StartedOn"])}
