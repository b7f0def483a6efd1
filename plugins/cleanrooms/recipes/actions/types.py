"""Changes of a column's type. Source: DataBrew guide, CHANGE_DATA_TYPE and the older TO_*_COLUMN."""

from __future__ import annotations

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Assign, Change, action

CATEGORY = "basic column"


@action(
    "CHANGE_DATA_TYPE",
    CATEGORY,
    "sourceColumn columnDataType replaceType?",
    note="what does not convert becomes null; 12.7 is no whole number; dates and times in ISO 8601 only",
)
def change_data_type(p: Arguments) -> Change:
    if p.has("replaceType"):
        p.choice("replaceType", ("REPLACE_WITH_NULL",))
    return _change(p, p.choice("columnDataType", tuple(casts.DATA_TYPES)))


@action("TO_STRING_COLUMN", CATEGORY, "sourceColumn columnDataType?", note="as CHANGE_DATA_TYPE to string")
def to_string(p: Arguments) -> Change:
    return _older(p, "string", "string")


@action("TO_NUMBER_COLUMN", CATEGORY, "sourceColumn columnDataType?", note="as CHANGE_DATA_TYPE to double")
def to_number(p: Arguments) -> Change:
    return _older(p, "number", "double")


@action("TO_DOUBLE_COLUMN", CATEGORY, "sourceColumn columnDataType?", note="as CHANGE_DATA_TYPE to double")
def to_double(p: Arguments) -> Change:
    return _older(p, "number", "double")


@action("TO_BOOLEAN_COLUMN", CATEGORY, "sourceColumn columnDataType?", note="as CHANGE_DATA_TYPE to boolean")
def to_boolean(p: Arguments) -> Change:
    return _older(p, "boolean", "boolean")


def _older(p: Arguments, name: str, target: str) -> Change:
    if p.has("columnDataType"):
        p.choice("columnDataType", (name, target))
    return _change(p, target)


def _change(p: Arguments, target: str) -> Change:
    column = p.column()
    if p.step.conditions:
        raise p.error("changes a column as a whole and takes no conditions.", "Remove them.")
    value = casts.cast(column, p.schema[column], target)
    if value is None:
        raise p.error(
            f"has no rule from {p.schema[column]} to {target}.", "Go by way of string, or keep the type."
        )
    return Assign({column: value}, canonical=target == "string")
