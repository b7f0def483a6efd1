"""The JSON form of analysis rules: which member holds a text, a list or an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cleanrooms.rules.model import AGGREGATION, CUSTOM, LIST

_TEXTS = [str]
SHAPES: Mapping[str, Any] = {
    AGGREGATION: {
        "aggregateColumns": [{"columnNames": _TEXTS, "function": str}],
        "joinColumns": _TEXTS,
        "joinRequired": str,
        "allowedJoinOperators": _TEXTS,
        "dimensionColumns": _TEXTS,
        "scalarFunctions": _TEXTS,
        "outputConstraints": [{"columnName": str, "minimum": object, "type": str}],
        "additionalAnalyses": str,
    },
    LIST: {
        "joinColumns": _TEXTS,
        "allowedJoinOperators": _TEXTS,
        "listColumns": _TEXTS,
        "additionalAnalyses": str,
    },
    CUSTOM: {
        "allowedAnalyses": _TEXTS,
        "allowedAnalysisProviders": _TEXTS,
        "disallowedOutputColumns": _TEXTS,
        "additionalAnalyses": str,
        "differentialPrivacy": {"columns": [{"name": str}]},
        "aggregationThresholds": [
            {
                "identityColumns": _TEXTS,
                "minimumIdentityCount": object,
                "type": str,
                "allowedAggregateExpressionType": str,
                "outputColumnThresholds": [{"outputColumnName": str, "minimumIdentityCount": object}],
            }
        ],
        "comparisonControls": {
            "allowedLiteralComparisonColumns": _TEXTS,
            "allowedColumnComparisonColumns": _TEXTS,
        },
    },
}
"""The members that are judged; a type stands for a value, a list for a list of its only item.

Numbers may be anything here: that they are numbers is judged with their range.
"""


def misshapen(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """The paths of the members that do not have their form. A member without value counts as left out."""
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            yield path
            return
        for name, inner in shape.items():
            if value.get(name) is not None:
                yield from misshapen(value[name], inner, f"{path}.{name}".lstrip("."))
    elif isinstance(shape, list):
        if not isinstance(value, list | tuple):
            yield path
            return
        for at, item in enumerate(value):
            yield from misshapen(item, shape[0], f"{path}[{at}]")
    elif not isinstance(value, shape):
        yield path
