"""Wait in the triggerer for the query that fills an intermediate table."""

from __future__ import annotations

from cleanrooms.aws.triggers.waiting import AnalysisTrigger


class CleanRoomsPopulationTrigger(AnalysisTrigger):
    """Wait for the protected query of a population (arguments: :class:`AnalysisTrigger`)."""

    kind = "Query"
