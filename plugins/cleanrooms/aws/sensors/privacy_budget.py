"""Wait until a privacy budget has something left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.errors import BudgetExhausted
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.sensors.patient import PatientSensor

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsPrivacyBudgetSensor(PatientSensor[CleanRoomsHook]):
    """Wait until every privacy budget of a membership has enough left, for instance for a monthly refresh.

    For differential privacy what counts is the number of aggregations that can still be asked, by kind; for
    an access budget, the remaining accesses.

    :param membership_id: our own membership (templated)
    :param budget_type: DIFFERENTIAL_PRIVACY or ACCESS_BUDGET
    :param at_least: how much must be left
    :param aggregation: COUNT, COUNT_DISTINCT, SUM, AVG or STDDEV, where only that is asked; default: any
    :param fail_at_once: a budget that lacks fails the task instead of being waited for
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "at_least")
    ui_color = "#e3ddf7"

    def __init__(
        self,
        *,
        membership_id: str,
        budget_type: str = "DIFFERENTIAL_PRIVACY",
        at_least: int = 1,
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

    def lacking(self, context: Context) -> str | None:
        """What is left, if it is not enough.

        :raises BudgetExhausted: it is not, and ``fail_at_once`` is set
        """
        client: Any = self.hook.conn
        pages = client.get_paginator("list_privacy_budgets").paginate(
            membershipIdentifier=self.membership_id, privacyBudgetType=self.budget_type
        )
        left = [item for page in pages for item in _left(page["privacyBudgetSummaries"], self.aggregation)]
        short = [f"{name} has {count} left" for name, count in left if count < int(self.at_least)]
        if not left:
            short = [f"there is no {self.budget_type} budget"]
        if short and self.fail_at_once:
            raise BudgetExhausted(
                f"Not enough privacy budget in membership {self.membership_id}: {'; '.join(short)}.",
                "Wait for the budget's refresh, or ask the data owner for a larger one.",
            )
        return "; ".join(short) or None

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"the privacy budgets of membership {self.membership_id}"


def _left(summaries: Sequence[Mapping[str, Any]], aggregation: str | None) -> Iterator[tuple[str, int]]:
    for summary in summaries:
        budget = summary["budget"]
        if "differentialPrivacy" in budget:
            for kind in budget["differentialPrivacy"]["aggregations"]:
                if aggregation in (None, kind["type"]):
                    yield kind["type"], int(kind["remainingCount"])
        if "accessBudget" in budget:
            for one in budget["accessBudget"]["details"]:
                yield (
                    f"{budget['accessBudget']['resourceArn']} {one['budgetType']}",
                    int(one["remainingBudget"]),
                )
