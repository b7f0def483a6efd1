"""The catalogue of actions, one module per category of DataBrew's guide.

A newcomer is a function beside the others under :func:`~cleanrooms.recipes.registry.action`; a new
module is imported here.
"""

from cleanrooms.recipes.actions import (
    across,
    cleaning,
    columns,
    elsewhere,
    filters,
    formatting,
    jsontexts,
    logic,
    masks,
    maths,
    moments,
    nesting,
    other,
    outliers,
    pii,
    reshaping,
    science,
    statistics,
    structure,
    text,
    types,
    whole,
    windows,
)
from cleanrooms.recipes.registry import ACTIONS

__all__ = [
    "ACTIONS",
    "across",
    "cleaning",
    "columns",
    "elsewhere",
    "filters",
    "formatting",
    "jsontexts",
    "logic",
    "masks",
    "maths",
    "moments",
    "nesting",
    "other",
    "outliers",
    "pii",
    "reshaping",
    "science",
    "statistics",
    "structure",
    "text",
    "types",
    "whole",
    "windows",
]
