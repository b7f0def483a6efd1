"""Wait in the triggerer for a privacy budget."""

from __future__ import annotations

from cleanrooms.aws.looks import budget_left
from cleanrooms.aws.triggers.patient import PatientTrigger


class CleanRoomsPrivacyBudgetTrigger(PatientTrigger):
    """Wait until every privacy budget has enough left (arguments: :class:`PatientTrigger`)."""

    operation = "ListPrivacyBudgets"
    asks = staticmethod(budget_left)
