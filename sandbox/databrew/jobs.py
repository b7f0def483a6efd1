"""Recipe jobs: a dataset, a version of a recipe, a role and an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.access import allowed
from sandbox.cleanrooms.state import Document
from sandbox.databrew.base import Brew, page
from sandbox.databrew.layout import CSV_COMPRESSION, PARQUET_COMPRESSION
from sandbox.databrew.recipes import PUBLISHED, version_of
from sandbox.databrew.refusals import conflict, denied, invalid, not_here
from sandbox.databrew.rights import SERVICE
from sandbox.wire import Caller

_DEFAULTS = {"MaxCapacity": 5, "MaxRetries": 0, "Timeout": 2880, "LogSubscription": "ENABLE"}
UNFINISHED = ("STARTING", "RUNNING", "STOPPING")


class Jobs(Brew):
    """Operations on recipe jobs."""

    def create_recipe_job(self, caller: Caller, **request: Any) -> Document:
        """Creates a job."""
        if "ProjectName" in request:
            raise not_here("jobs of a project")
        if "DatasetName" not in request or "RecipeReference" not in request:
            raise invalid("Give ProjectName, or both DatasetName and RecipeReference.")
        _check(request)
        with self.store.transaction():
            self.owned(caller, "dataset", request["DatasetName"])
            reference = {"RecipeVersion": PUBLISHED, **request["RecipeReference"]}
            version_of(self.owned(caller, "recipe", reference["Name"]), reference["RecipeVersion"])
            _may_pass(caller, request["RoleArn"])
            job = {**_DEFAULTS, **request, "RecipeReference": reference, "Type": "RECIPE"}
            self.create(caller, "job", self.settings.jobs, job)
        return {"Name": request["Name"]}

    def update_recipe_job(self, caller: Caller, **request: Any) -> Document:
        """Replaces what may change: neither the dataset nor the recipe may."""
        _check(request)
        with self.store.transaction():
            found = self.owned(caller, "job", request["Name"])
            _may_pass(caller, request["RoleArn"])
            kept = ("EncryptionMode", "EncryptionKeyArn", "Outputs", "RoleArn", *_DEFAULTS)
            changes = {name: request.get(name, _DEFAULTS.get(name)) for name in kept}
            self.change(caller, "job", found, **changes)
        return {"Name": request["Name"]}

    def describe_job(self, caller: Caller, **request: Any) -> Document:
        """Returns a job."""
        return self.shown(self.owned(caller, "job", request["Name"]))

    def list_jobs(self, caller: Caller, **request: Any) -> Document:
        """Returns the jobs, of one dataset if it is named."""
        dataset = request.get("DatasetName")
        jobs = [j for j in self.all_of(caller, "job") if dataset in (None, j["DatasetName"])]
        if "ProjectName" in request:
            jobs = []
        shown, token = page(jobs, request, f"jobs {dataset}")
        return {"Jobs": [{**self.shown(j), "AccountId": caller.account} for j in shown], **token}

    def delete_job(self, caller: Caller, **request: Any) -> Document:
        """Deletes a job and the memory of its runs, unless one is in progress."""
        with self.store.transaction():
            found = self.owned(caller, "job", request["Name"])
            runs = self.store.find("run", parent=found["id"])
            if any(run["State"] in UNFINISHED for run in runs):
                raise conflict(f"Job {request['Name']} is running.")
            for run in runs:
                self.store.remove("run", run["id"])
            self.remove("job", found)
        return {"Name": request["Name"]}


def _check(request: Mapping[str, Any]) -> None:
    for other in ("DataCatalogOutputs", "DatabaseOutputs"):
        if request.get(other):
            raise not_here(other)
    if not request.get("Outputs"):
        raise invalid("At least one output is needed.")
    if request.get("EncryptionMode") == "SSE-KMS" and not request.get("EncryptionKeyArn"):
        raise invalid("EncryptionMode SSE-KMS needs an EncryptionKeyArn.")
    for output in request["Outputs"]:
        kind, packed = output.get("Format", "CSV"), output.get("CompressionFormat")
        known = {"CSV": CSV_COMPRESSION, "JSON": CSV_COMPRESSION, "PARQUET": PARQUET_COMPRESSION}
        if kind not in known:
            raise not_here(f"outputs of format {kind}")
        if packed is not None and packed not in known[kind]:
            raise not_here(f"{kind} outputs with the compression {packed}")
        if output.get("PartitionColumns"):
            raise not_here("PartitionColumns of an output")


def _may_pass(caller: Caller, role: str) -> None:
    context = {"iam:PassedToService": SERVICE}
    if not allowed(caller.principal_arn, "iam:PassRole", role, caller.region, context=context):
        raise denied(
            f"User: {caller.principal_arn} is not authorized to perform: iam:PassRole on resource: {role}"
        )
