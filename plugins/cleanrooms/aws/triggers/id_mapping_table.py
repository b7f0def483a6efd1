"""Wait in the triggerer for the job that fills an ID mapping table."""

from __future__ import annotations

from typing import Any

from cleanrooms.aws.hooks.entity_resolution import EntityResolutionHook
from cleanrooms.aws.triggers.waiting import WaitingTrigger


class CleanRoomsIdMappingJobTrigger(WaitingTrigger):
    """Wait for an ID mapping job of AWS Entity Resolution, which cannot be cancelled.

    :param run_id: workflow and job, joined by a slash
    :param cancel_on_kill: without effect
    :param wait: see :class:`WaitingTrigger`
    """

    aws_hook_class = EntityResolutionHook
    waiter = "id_mapping_job_complete"
    state = "status"

    def __init__(self, run_id: str, cancel_on_kill: bool = False, **wait: Any) -> None:
        workflow, _, job = run_id.rpartition("/")
        super().__init__(run_id, {}, {"workflowName": workflow, "jobId": job}, cancel_on_kill, **wait)
