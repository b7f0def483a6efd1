"""Wait in the triggerer for tables of a collaboration."""

from __future__ import annotations

from cleanrooms.aws.looks import tables_ready
from cleanrooms.aws.triggers.patient import PatientTrigger


class CleanRoomsTablesReadyTrigger(PatientTrigger):
    """Wait until every named table is READY (arguments: :class:`PatientTrigger`)."""

    operation = "BatchGetSchema"
    asks = staticmethod(tables_ready)
