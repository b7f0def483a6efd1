"""What a query costs: CRPU-hours by the stated model; rates are not part of it."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms.settings import Settings
from sandbox.cleanrooms.state import Document

# Clean Rooms processing units of one worker (User Guide, SQL editor page).
CRPU_OF_WORKER = {"CR.1X": 2, "CR.4X": 8, "CR.8X": 16}
_DEFAULT_TYPE, _DEFAULT_NUMBER = "CR.1X", 16


def statistics(query: Document, ended: float, settings: Settings) -> dict[str, Any]:
    """Returns ``statistics`` of a query that ended: units = CRPU x hours since its start, with a minimum.

    A query that never started costs nothing.

    :param ended: epoch seconds
    """
    worker = (query.get("computeConfiguration") or {}).get("worker") or {}
    crpu = CRPU_OF_WORKER[worker.get("type", _DEFAULT_TYPE)] * worker.get("number", _DEFAULT_NUMBER)
    started = query.get("_startTime")
    billed = 0.0 if started is None else max(ended - started, settings.minimum_billed_seconds)
    return {
        "totalDurationInMillis": max(0, round((ended - query["createTime"]) * 1000)),
        "billedResourceUtilization": {"units": round(crpu * billed / 3600, 6)},
    }
