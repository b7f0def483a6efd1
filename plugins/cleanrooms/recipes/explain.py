"""What a compiled recipe does, told to people."""

from __future__ import annotations

from typing import Any

from cleanrooms.recipes.distribution import Carried, Filled, Sorted, Together
from cleanrooms.recipes.plan import Plan, Stage


def _runs(stage: Stage) -> str:
    """Where a stage runs: what it needs to see at once."""
    if stage.whole is None:
        return "each batch alone, on every engine"
    spread = stage.whole.spark
    if isinstance(spread, Together):
        how = f"rows equal in {', '.join(spread.columns)} brought together"
    elif isinstance(spread, Sorted):
        how = "sorted by Spark"
    elif isinstance(spread, Filled):
        how = "one statistic by Spark, then each batch alone"
    elif isinstance(spread, Carried):
        how = "in the input's order, by a window"
    else:
        how = "in the memory of one executor"
    return f"the whole table: on the worker in memory; on Spark {how}"


def describe(plan: Plan) -> list[dict[str, Any]]:
    """Steps with their tier and the columns that result, for people; no keys, no parameters' values."""
    return [
        {
            "step": s.step.number,
            "operation": s.step.operation,
            "tier": s.action.tier.value,
            "note": s.action.note,
            "runs": _runs(s),
            "columns": dict(s.columns),
        }
        for s in plan.stages
    ]
