"""What a query takes from the budgets of its tables: one use of each, and its aggregations' epsilon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.cleanrooms import access_budgets, names, privacy_arithmetic, refusals
from sandbox.cleanrooms.aggregations import Aggregation, final_aggregations
from sandbox.cleanrooms.budget_templates import KIND, access_templates, private_template
from sandbox.cleanrooms.room import Room
from sandbox.cleanrooms.spark import UnreadableQuery
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable


def uses_left(room: Room, collaboration: str, tables: Mapping[str, AssociatedTable]) -> dict[str, int]:
    """Returns the remaining uses of those tables that have an access budget, by name."""
    templates, now = access_templates(room, collaboration), names.now()
    return {
        name: min(access_budgets.remaining(templates[arn], now) for arn in budgeted)
        for name, table in tables.items()
        if (budgeted := [arn for arn in table.budget_arns if arn in templates])
    }


def is_private(tables: Iterable[AssociatedTable]) -> bool:
    """Returns whether one of the tables is under differential privacy."""
    return any(
        "differentialPrivacy" in policy
        for table in tables
        if table.rule is not None
        for policy in table.rule["policy"]["v1"].values()
    )


def aggregations_left(room: Room, collaboration: str, text: str) -> int | None:
    """Returns 1 when the differential privacy budget is enough for a query, 0 when not, ``None`` without one."""
    template = private_template(room, collaboration)
    if template is None:
        return None
    wanted = [one.kind for one in _aggregations(text)]
    return int(privacy_arithmetic.affords(template, wanted or ["COUNT_DISTINCT"], names.now()))


def spend(room: Room, collaboration: str, tables: list[AssociatedTable], text: str) -> Document | None:
    """Takes an accepted query's share from all budgets, inside the caller's transaction.

    :return: settings of the noise when a table is under differential privacy, else ``None``
    :raises ServiceFault: ValidationException when another query took the rest in the meantime
    """
    now = names.now()
    budgets = access_templates(room, collaboration)
    for arn in dict.fromkeys(arn for table in tables for arn in table.budget_arns):
        if budget := budgets.get(arn):
            if access_budgets.remaining(budget, now) <= 0:
                raise refusals.unready("The access budget of a table is spent.")
            access_budgets.charge(budget, now)
            room.store.save(KIND, budget)
    template = private_template(room, collaboration) if is_private(tables) else None
    if template is None:
        return None
    aggregations = _aggregations(text)
    kinds = [one.kind for one in aggregations]
    if not privacy_arithmetic.affords(template, kinds, now):
        raise refusals.unready("The differential privacy budget is spent.")
    privacy_arithmetic.charge(template, kinds, now)
    room.store.save(KIND, template)
    noise = template["parameters"]["differentialPrivacy"]["usersNoisePerQuery"]
    return {
        "scale": privacy_arithmetic.scale(noise),
        "sensitivity": [_sensitivity(one) for one in aggregations],
    }


def _sensitivity(aggregation: Aggregation) -> Document:
    return {
        "aggregationType": aggregation.kind,
        "aggregationExpression": aggregation.text,
        "userContributionLimit": 1,
    }


def _aggregations(text: str) -> list[Aggregation]:
    try:
        return final_aggregations(text)
    except UnreadableQuery:
        return []
