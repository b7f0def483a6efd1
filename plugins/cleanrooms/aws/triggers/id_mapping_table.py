"""Wait in the triggerer for the job that fills an ID mapping table."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.hooks.entity_resolution import EntityResolutionHook
from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsIdMappingJobTrigger(WaitingTrigger):
    """Wait for an ID mapping job of AWS Entity Resolution, which cannot be cancelled.

    :param run_id: workflow and job, joined by a slash
    :param wait: see :class:`PollingTrigger`
    """

    aws_hook_class = EntityResolutionHook
    operation = "GetIdMappingJob"
    describe = "get_id_mapping_job"
    state = ("status",)
    running = frozenset({"QUEUED", "RUNNING"})

    def __init__(self, run_id: str, **wait: Any) -> None:
        workflow, _, job = run_id.rpartition("/")
        super().__init__(run_id, {}, {"workflowName": workflow, "jobId": job}, **wait)

    @property
    def subject(self) -> str:
        """Workflow and job."""
        return f"ID mapping job {self.run_id}"
