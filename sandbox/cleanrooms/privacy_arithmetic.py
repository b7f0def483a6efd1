"""What aggregations cost under differential privacy: a rehearsal, NOT the service's arithmetic.

The service publishes neither formula nor noise, only that the cost rises from COUNT DISTINCT over COUNT
and SUM to AVG. Here a count of users takes Laplace noise whose absolute value stays below
``usersNoisePerQuery`` in 95 of 100 cases, which costs ``3 / usersNoisePerQuery`` of epsilon; costs of
queries add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.cleanrooms.periods import period
from sandbox.cleanrooms.state import Document

# Multiples of what a COUNT DISTINCT costs.
WEIGHTS = {"COUNT_DISTINCT": 1, "COUNT": 2, "SUM": 3, "AVG": 5, "STDDEV": 8}
_TAIL = 3  # P(|noise| > 3 x scale) is about 5 %
_ROUNDING = 1e-9


def scale(users_noise: int) -> float:
    """Returns the Laplace scale, in users."""
    return users_noise / _TAIL


def cost(aggregations: Iterable[str], users_noise: int) -> float:
    """Returns the epsilon that aggregations of these types take together."""
    return sum(WEIGHTS[kind] for kind in aggregations) / scale(users_noise)


def counts(epsilon: float, users_noise: int) -> dict[str, int]:
    """Returns how many aggregations of each type, of one type only, ``epsilon`` is enough for."""
    return {
        kind: max(0, math.floor(epsilon / cost([kind], users_noise) + _ROUNDING)) for kind in sorted(WEIGHTS)
    }


def spent(template: Document, now: float) -> float:
    """Returns the epsilon that a template's budget has lost in the current period."""
    entry: Mapping[str, Any] = template.get("_ledger", {}).get("epsilon", {})
    return float(entry["spent"]) if entry.get("start") == _start(template, now) else 0.0


def affords(template: Document, aggregations: Iterable[str], now: float) -> bool:
    """Returns whether the budget is enough for these aggregations."""
    settings = template["parameters"]["differentialPrivacy"]
    total = spent(template, now) + cost(aggregations, settings["usersNoisePerQuery"])
    return total <= settings["epsilon"] + _ROUNDING


def charge(template: Document, aggregations: Iterable[str], now: float) -> None:
    """Takes these aggregations from the template's budget; the caller saves it."""
    noise = template["parameters"]["differentialPrivacy"]["usersNoisePerQuery"]
    entry = {"start": _start(template, now), "spent": spent(template, now) + cost(aggregations, noise)}
    template.setdefault("_ledger", {})["epsilon"] = entry


def budget(template: Document, now: float) -> Document:
    """Returns ``DifferentialPrivacyPrivacyBudget`` of a template."""
    settings = template["parameters"]["differentialPrivacy"]
    epsilon, noise = settings["epsilon"], settings["usersNoisePerQuery"]
    most, left = counts(epsilon, noise), counts(epsilon - spent(template, now), noise)
    return {
        "epsilon": epsilon,
        "aggregations": [
            {"type": kind, "maxCount": number, "remainingCount": left[kind]} for kind, number in most.items()
        ],
    }


def _start(template: Document, now: float) -> float:
    kind = template["autoRefresh"] if template["autoRefresh"] != "NONE" else "LIFETIME"
    return period(kind, now, template["createTime"])[0]
