"""The tables of the tests: tiny, and each made for one kind of rule."""

from __future__ import annotations

from typing import Any

from tests.conformance.room import Room

SALES = [(f"p{n}", f"c{n}", "abc"[n % 3], n) for n in range(1, 13)]
OPEN = [("p1", "a", "x", 1), ("p2", "b", None, 2), ("p3", "a", "y", 4)]
COUNTED = [("p1", "a"), ("p2", "a"), ("p3", "a"), ("p4", "b"), ("p5", "b")]


def aggregation(column: str, dimension: str, **more: Any) -> dict[str, Any]:
    """An aggregation rule over ``person``, ``card``, a dimension and a number."""
    return {
        "aggregateColumns": [{"columnNames": [column], "function": function} for function in ("SUM", "AVG")],
        "joinColumns": ["person", "card"],
        "dimensionColumns": [dimension],
        "scalarFunctions": [],
        "outputConstraints": [{"columnName": "person", "minimum": 2, "type": "COUNT_DISTINCT"}],
        **more,
    }


def fill(room: Room) -> Room:
    """Gives the room its tables; returns it."""
    people = {"person": "string", "card": "string"}
    allowed = {"allowedAnalyses": ["ANY_QUERY"], "allowedAnalysisProviders": [room.place.brand]}
    room.share(
        room.brand, "sales", {**people, "segment": "string", "amount": "int"}, SALES, "AGGREGATION",
        aggregation("amount", "segment", scalarFunctions=["UPPER", "ROUND"], allowedJoinOperators=["AND", "OR"]),
    )  # fmt: skip
    room.share(
        room.retailer, "returns", {**people, "state": "string", "units": "int"}, SALES, "AGGREGATION",
        aggregation("units", "state", joinRequired="QUERY_RUNNER", allowedJoinOperators=["AND"]),
    )  # fmt: skip
    columns = {"person": "string", "store": "string", "note": "string", "amount": "int"}
    room.share(room.brand, "open_sales", columns, OPEN, "CUSTOM", allowed)
    room.share(
        room.retailer, "visits", {"person": "string", "zip": "string"}, [("p1", "1"), ("p2", "2")], "CUSTOM",
        {**allowed, "disallowedOutputColumns": ["zip"]},
    )  # fmt: skip
    threshold = {
        "identityColumns": ["person"],
        "minimumIdentityCount": 3,
        "type": "COUNT_DISTINCT",
        "allowedAggregateExpressionType": "COLUMNS_ONLY",
        "outputColumnThresholds": [{"outputColumnName": "city", "minimumIdentityCount": 2}],
    }
    room.share(
        room.retailer, "counted", {"person": "string", "city": "string"}, COUNTED, "CUSTOM",
        {**allowed, "aggregationThresholds": [threshold]},
    )  # fmt: skip
    room.share(room.retailer, "spare", {"person": "string"}, [("p1",)], "CUSTOM", allowed)
    for name, columns in {
        "my_segments": {"person": "string", "segment": "string"},
        "their_tiers": {"person": "string", "tier": "string"},
    }.items():
        owner = room.brand if name.startswith("my") else room.retailer
        rule = {"joinColumns": ["person"], "listColumns": [list(columns)[1]]}
        room.share(owner, name, columns, [("p1", "gold"), ("p2", "tin")], "LIST", rule)
    return room
