"""Wait until a privacy budget has something left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.sensors.patient import PatientSensor
from cleanrooms.aws.triggers.privacy_budget import CleanRoomsPrivacyBudgetTrigger


class CleanRoomsPrivacyBudgetSensor(PatientSensor[CleanRoomsHook]):
    """Wait until every privacy budget of a membership has enough left, for instance for a monthly refresh.

    For differential privacy what counts is the number of aggregations that can still be asked, by kind; for
    an access budget, the remaining accesses.

    :param membership_id: our own membership (templated)
    :param budget_type: DIFFERENTIAL_PRIVACY or ACCESS_BUDGET
    :param at_least: how much must be left (templated)
    :param aggregation: COUNT, COUNT_DISTINCT, SUM, AVG or STDDEV, where only that is asked; default: any
    :param fail_at_once: a budget that lacks fails the task with BudgetExhausted instead of being waited for
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    aws_hook_class = CleanRoomsHook
    trigger_class = CleanRoomsPrivacyBudgetTrigger
    template_fields: Sequence[str] = aws_template_fields("membership_id", "at_least")

    def __init__(
        self,
        *,
        membership_id: str,
        budget_type: str = "DIFFERENTIAL_PRIVACY",
        at_least: int | str = 1,
        aggregation: str | None = None,
        fail_at_once: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.budget_type = budget_type
        self.at_least = at_least
        self.aggregation = aggregation
        self.fail_at_once = fail_at_once

    @property
    def question(self) -> Mapping[str, Any]:
        """Arguments of the look."""
        return {
            "membership_id": self.membership_id,
            "budget_type": self.budget_type,
            "at_least": self.at_least,
            "aggregation": self.aggregation,
            "fail_at_once": self.fail_at_once,
        }

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"privacy budget of membership {self.membership_id}"
