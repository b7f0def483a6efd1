"""Access budgets: how often a table may be used, by period and in all; the ledger is kept in the template.

A use costs 1 of every budget of the template when a query is accepted, and is not given back when the
query fails. A calendar budget that does not refresh is never filled up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.periods import LIFETIME, period
from sandbox.cleanrooms.state import Document

ENABLED, DISABLED = "ENABLED", "DISABLED"


def check_parameters(parameters: Sequence[Mapping[str, Any]]) -> None:
    """Lets pass one budget, or one of a calendar period beside one of the lifetime.

    :raises ServiceFault: ValidationException
    """
    kinds = [one["type"] for one in parameters]
    if len(kinds) > 1 and sum(kind == LIFETIME for kind in kinds) != 1:
        raise refusals.field_invalid("budgetParameters", "take one calendar period and LIFETIME beside it")
    if any(one["type"] == LIFETIME and one.get("autoRefresh") == ENABLED for one in parameters):
        raise refusals.field_invalid("budgetParameters", "a LIFETIME budget cannot refresh")


def details(template: Document, now: float) -> list[Document]:
    """Returns ``AccessBudgetDetails`` of every budget of a template."""
    return [_detail(template, one, now) for one in template["parameters"]["accessBudget"]["budgetParameters"]]


def remaining(template: Document, now: float) -> int:
    """Returns the uses that are left: the lowest of all budgets of the template."""
    return min(int(one["remainingBudget"]) for one in details(template, now))


def charge(template: Document, now: float) -> None:
    """Counts one use in the template's ledger; the caller saves it."""
    ledger = template.setdefault("_ledger", {})
    for one in template["parameters"]["accessBudget"]["budgetParameters"]:
        start, _ = _current(template, one, now)
        ledger[one["type"]] = {"start": start, "used": _used(template, one, now) + 1}


def _detail(template: Document, budget: Mapping[str, Any], now: float) -> Document:
    start, end = _current(template, budget, now)
    return {
        "startTime": start,
        "endTime": end,
        "remainingBudget": max(0, budget["budget"] - _used(template, budget, now)),
        "budget": budget["budget"],
        "budgetType": budget["type"],
        "autoRefresh": None if budget["type"] == LIFETIME else budget.get("autoRefresh", DISABLED),
    }


def _current(template: Document, budget: Mapping[str, Any], now: float) -> tuple[float, float | None]:
    refreshes = budget.get("autoRefresh") == ENABLED
    return period(budget["type"], now if refreshes else template["createTime"], template["createTime"])


def _used(template: Document, budget: Mapping[str, Any], now: float) -> int:
    entry = template.get("_ledger", {}).get(budget["type"], {})
    start, _ = _current(template, budget, now)
    return int(entry["used"]) if entry.get("start") == start else 0
