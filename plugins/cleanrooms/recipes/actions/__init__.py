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
    masks,
    maths,
    moments,
    other,
    pii,
    structure,
    text,
    types,
    whole,
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
    "masks",
    "maths",
    "moments",
    "other",
    "pii",
    "structure",
    "text",
    "types",
    "whole",
]
