"""Wait in the triggerer for a protected job."""

from __future__ import annotations

from cleanrooms.aws.triggers.waiting import AnalysisTrigger


class CleanRoomsProtectedJobTrigger(AnalysisTrigger):
    """Wait for a protected job (arguments: :class:`AnalysisTrigger`)."""

    kind = "Job"
