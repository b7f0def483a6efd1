"""DataBrew's condition expressions as Polars expressions.

A comparison with a null is not true, so a step leaves such rows alone: the three-valued logic of SQL with
``(condition) IS NOT TRUE`` for the rows that stay. Texts are compared as written, upper and lower case apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from cleanrooms.recipes.model import Condition, Step

_ORDER: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "LESS_THAN": lambda e, v: e < v,
    "LESS_THAN_EQUAL": lambda e, v: e <= v,
    "GREATER_THAN": lambda e, v: e > v,
    "GREATER_THAN_EQUAL": lambda e, v: e >= v,
}
_TEXT: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "CONTAINS": lambda e, v: e.str.contains(v, literal=True),
    "NOT_CONTAINS": lambda e, v: ~e.str.contains(v, literal=True),
    "STARTS_WITH": lambda e, v: e.str.starts_with(v),
    "NOT_STARTS_WITH": lambda e, v: ~e.str.starts_with(v),
    "ENDS_WITH": lambda e, v: e.str.ends_with(v),
    "NOT_ENDS_WITH": lambda e, v: ~e.str.ends_with(v),
}
CONDITIONS = (*_ORDER, *_TEXT, "IS", "IS_NOT", "IS_BETWEEN", "IS_MISSING", "IS_INVALID")


def missing(column: str | pl.Expr, kind: pl.DataType) -> pl.Expr:
    """True where a cell holds nothing: null, or the empty text, which CSV cannot tell from null."""
    value = pl.col(column) if isinstance(column, str) else column
    return value.is_null() | (value == "") if kind == pl.String else value.is_null()


def invalid(column: str, kind: pl.DataType) -> pl.Expr:
    """True where a value is none of its column's type: in a typed column only NaN and the infinities."""
    if kind.is_float():
        return ~pl.col(column).is_finite().fill_null(True)
    return pl.lit(False)


def holds(step: Step, schema: Mapping[str, pl.DataType]) -> pl.Expr | None:
    """True where all conditions of the step hold, never null; None if it has none.

    :raises RecipeError: unknown condition or column, or a value that the column cannot be compared with
    """
    if not step.conditions:
        return None
    parts = [_one(step, c, schema).fill_null(False) for c in step.conditions]
    return pl.all_horizontal(parts)


def _one(step: Step, condition: Condition, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    name, column = condition.condition, condition.column
    if name not in CONDITIONS:
        raise step.error(f"has the unknown condition {name}.", f"Supported: {', '.join(CONDITIONS)}.")
    if column not in schema:
        raise step.error(
            f"has a condition on the column {column!r}, which does not exist here.",
            f"Columns at this step: {', '.join(schema)}.",
        )
    kind = schema[column]
    if name == "IS_MISSING":
        return missing(column, kind)
    if name == "IS_INVALID":
        return invalid(column, kind)
    if condition.value is None:
        raise step.error(f"has a condition {name} without Value.", "Give the value to compare with.")
    if name in _TEXT:
        if kind not in (pl.String, pl.Null):
            raise step.error(f"has the text condition {name} on {column!r} of type {kind}.", _CHANGE_TYPE)
        return _TEXT[name](pl.col(column).cast(pl.String), condition.value)
    if name in ("IS", "IS_NOT"):
        return _listed(step, condition, kind)
    if name == "IS_BETWEEN":
        return _between(step, condition, kind)
    return _ORDER[name](pl.col(column), _value(step, condition, condition.value, kind))


_CHANGE_TYPE = "Put CHANGE_DATA_TYPE before it."


def _listed(step: Step, condition: Condition, kind: pl.DataType) -> pl.Expr:
    values = _json(step, condition)
    if not isinstance(values, list) or not values:
        raise step.error(
            f"has a condition {condition.condition} whose Value is no JSON list.", 'Write "[\\"a\\"]".'
        )
    literals = [_value(step, condition, v, kind, ordered=False) for v in values]
    found = pl.any_horizontal([pl.col(condition.column) == v for v in literals])
    return ~found if condition.condition == "IS_NOT" else found


def _between(step: Step, condition: Condition, kind: pl.DataType) -> pl.Expr:
    bounds = _json(step, condition)
    if isinstance(bounds, list) and len(bounds) == 2:
        low, high = bounds
    elif isinstance(bounds, dict) and set(bounds) == {"GREATER_THAN_EQUAL", "LESS_THAN_EQUAL"}:
        low, high = bounds["GREATER_THAN_EQUAL"], bounds["LESS_THAN_EQUAL"]
    else:
        raise step.error(
            "has a condition IS_BETWEEN whose Value cannot be read.",
            'Write "{\\"GREATER_THAN_EQUAL\\": 1, \\"LESS_THAN_EQUAL\\": 9}".',
        )
    column = pl.col(condition.column)
    return (column >= _value(step, condition, low, kind)) & (column <= _value(step, condition, high, kind))


def _json(step: Step, condition: Condition) -> Any:
    try:
        return json.loads(condition.value or "")
    except (ValueError, RecursionError):
        raise step.error(f"has a condition {condition.condition} whose Value is no JSON.") from None


def _value(
    step: Step, condition: Condition, value: Any, kind: pl.DataType, *, ordered: bool = True
) -> pl.Expr:
    """The value as a literal of the column's type."""
    name, text = condition.condition, value if isinstance(value, str) else json.dumps(value)
    if kind in (pl.String, pl.Null):
        if ordered and _is_number(text):
            raise step.error(
                f"compares the text column {condition.column!r} with a number ({name}).", _CHANGE_TYPE
            )
        return pl.lit(text)
    if kind.is_nested() or kind == pl.Binary:
        raise step.error(f"has a condition {name} on {condition.column!r} of type {kind}.", _CHANGE_TYPE)
    try:
        if kind == pl.Boolean:
            return pl.lit({"true": True, "false": False}[text.lower()])
        if kind.is_integer() and not text.lstrip("+-").isdecimal():
            return pl.lit(float(text))
        if kind.is_float():
            return pl.lit(float(text))
        if kind in (pl.Date, pl.Datetime):
            literal = pl.Series([text]).str.to_datetime(time_unit="us", strict=True)
            return pl.lit(literal.cast(kind)[0], dtype=kind)
        return pl.lit(pl.Series([text]).cast(kind)[0], dtype=None if kind.is_decimal() else pl.Int64)
    except (ValueError, KeyError, pl.exceptions.PolarsError):
        raise step.error(
            f"compares {condition.column!r} of type {kind} with a value of another type ({name}).",
            "Write the value as the column's type.",
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
