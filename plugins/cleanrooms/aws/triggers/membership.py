"""Wait in the triggerer for the members of a collaboration."""

from __future__ import annotations

from cleanrooms.aws.looks import members_active
from cleanrooms.aws.triggers.patient import PatientTrigger


class CleanRoomsMembersActiveTrigger(PatientTrigger):
    """Wait until every invited member has joined (arguments: :class:`PatientTrigger`)."""

    operation = "ListMembers"
    asks = staticmethod(members_active)
