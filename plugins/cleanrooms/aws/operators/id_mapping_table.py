"""Fill an ID mapping table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.datasets import Tables
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.hooks.entity_resolution import EntityResolutionHook
from cleanrooms.aws.lineage import Lineage
from cleanrooms.aws.links.protected_query import CleanRoomsCollaborationLink, persist_links
from cleanrooms.aws.meaning import masked
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.id_mapping_table import CleanRoomsIdMappingJobTrigger
from cleanrooms.errors import CleanRoomsError, PermanentError

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsPopulateIdMappingTableOperator(WaitingOperator[CleanRoomsHook]):
    """Fill an ID mapping table by its workflow of AWS Entity Resolution, and wait for that.

    Clean Rooms only says that a table was filled once; how a job ended is known to Entity Resolution, so
    ``entityresolution:GetIdMappingJob`` and ``ListIdMappingJobs`` are needed. Such a job cannot be cancelled.

    :param membership_id: our own membership (templated)
    :param table_id: the ID mapping table (templated)
    :param job_type: BATCH, INCREMENTAL or DELETE_ONLY; default: the service's
    :return: ``job_id``, ``workflow``, ``table_id``, ``status`` and the service's ``metrics``
    """

    noun = "ID mapping job"
    store_key = "cleanrooms_id_mapping_job"
    running = CleanRoomsIdMappingJobTrigger.running
    succeeded = frozenset({"SUCCEEDED"})

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "table_id")
    operator_extra_links = (CleanRoomsCollaborationLink(),)

    def __init__(
        self, *, membership_id: str, table_id: str, job_type: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.table_id = table_id
        self.job_type = job_type

    def _link(self, context: Context, run_id: str) -> None:
        persist_links(context, self, self.hook, self.membership_id)

    def lineage(self) -> Lineage:
        """The mapping table out; what the workflow reads is known to Entity Resolution only."""
        client: Any = self.hook.conn
        name = client.get_id_mapping_table(**self._table)["idMappingTable"]["name"]
        tables = Tables(self.hook, self.membership_id, self._hook_settings())
        job = (self.run_id or "").rpartition("/")[2]
        return Lineage((), [tables.shared(name)], job, source="awsentityresolution")

    def _submit(self) -> str:
        workflow = self._workflow()
        client: Any = self.hook.unrepeating_client
        optional = {"jobType": self.job_type} if self.job_type else {}
        answer = client.populate_id_mapping_table(**self._table, **optional)
        # By the services' models, Clean Rooms writes the id with dashes and Entity Resolution takes it without.
        return f"{workflow}/{answer['idMappingJobId'].replace('-', '')}"

    def _describe(self, run_id: str) -> Found:
        workflow, _, job = run_id.rpartition("/")
        answer = self._resolution.get_id_mapping_job(workflowName=workflow, jobId=job)
        return {**answer, "state": answer["status"]}

    def _lost(self, since: datetime) -> str | None:
        """The newest job of the workflow since then."""
        workflow = self._workflow()
        pages = self._resolution.get_paginator("list_id_mapping_jobs").paginate(workflowName=workflow)
        for page in pages:
            for job in page["jobs"]:
                if job["startTime"] >= since and job["status"] in self.running | self.succeeded:
                    return f"{workflow}/{job['jobId']}"
        return None

    def _workflow(self) -> str:
        client: Any = self.hook.conn
        table = client.get_id_mapping_table(**self._table)["idMappingTable"]
        return str(table["inputReferenceConfig"]["inputReferenceArn"]).rpartition("/")[2]

    @property
    def _table(self) -> dict[str, str]:
        return {"membershipIdentifier": self.membership_id, "idMappingTableIdentifier": self.table_id}

    @property
    def _resolution(self) -> Any:
        return EntityResolutionHook(**self._hook_settings()).conn

    def _trigger(self, run_id: str) -> CleanRoomsIdMappingJobTrigger:
        return CleanRoomsIdMappingJobTrigger(run_id, **self._wait_arguments())

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        message = found.get("errorDetails", {}).get("errorMessage", "no message")
        return PermanentError(
            f"ID mapping job {run_id} of {self._subject} ended {found['state']}: {masked(message)}",
            "See the job in the Entity Resolution console; then clear the task.",
        )

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        workflow, _, job = run_id.rpartition("/")
        return {
            "job_id": job,
            "workflow": workflow,
            "table_id": self.table_id,
            "metrics": found.get("metrics", {}),
        }

    @property
    def _subject(self) -> str:
        return f"ID mapping table {self.table_id}"
