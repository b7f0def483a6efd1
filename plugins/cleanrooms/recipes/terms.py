"""Values of the small language of CASE_OPERATION and BOOLEAN_OPERATION: columns, literals, aggregates.

Source: DataBrew guide, the pages of the two actions, "Valid aggregate functions". Deviations are of the sample,
skewness and kurtosis of the population, as Spark has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments

_AGGREGATES: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "sum": lambda e: e.sum(),
    "avg": lambda e: e.mean(),
    "mean": lambda e: e.mean(),
    "mean_absolute_deviation": lambda e: (e - e.mean()).abs().mean(),
    "median": lambda e: e.median(),
    "product": lambda e: e.cast(pl.Float64).product(),
    "stddev": lambda e: e.std(),
    "variance": lambda e: e.var(),
    "standard_error_of_mean": lambda e: e.std() / e.count().sqrt(),
    "skewness": lambda e: e.skew(),
    "kurtosis": lambda e: e.kurtosis(),
    "count": lambda e: e.count().cast(pl.Int64),
    "count(distinct": lambda e: e.drop_nulls().n_unique().cast(pl.Int64),
    "min": lambda e: e.min(),
    "max": lambda e: e.max(),
}
_OF_ANY_TYPE = ("count", "count(distinct", "min", "max")
_AGGREGATE = re.compile(
    r"\s*(count\(distinct|[a-z_]+)\s*(?<!distinct)\(?\s*`([^`]+)`\s*\)\s*\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class Term:
    """A value in the language.

    :param kind: its type; None for a literal, whose text or number is in ``literal``
    """

    value: pl.Expr
    kind: pl.DataType | None
    literal: str | float | bool | None = None


def aggregates(p: Arguments) -> dict[str, Term]:
    """The named aggregates of ``withExpressions``."""
    if not p.has("withExpressions"):
        return {}
    given = p.json("withExpressions")
    if not isinstance(given, list):
        raise p.error("has withExpressions that are no list.", 'Write [{"name", "value", "type"}].')
    return dict(_aggregate(p, g) for g in given)


def _aggregate(p: Arguments, given: object) -> tuple[str, Term]:
    known = ", ".join(f.replace("count(distinct", "count(distinct …)") for f in _AGGREGATES)
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise p.error("has withExpressions without a name.", 'Write [{"name", "value", "type"}].')
    match = _AGGREGATE.match(str(given.get("value", "")))
    function = re.sub(r"\s+", "", match[1].lower()) if match else ""
    if match is None or function not in _AGGREGATES:
        raise p.error(f"has an aggregate {given['name']!r} that is not known.", f"Supported: {known}.")
    column = match[2]
    if column not in p.schema:
        raise p.error(
            f"has an aggregate of the column {column!r}, which does not exist here.",
            f"Columns at this step: {', '.join(p.schema)}.",
        )
    if function not in _OF_ANY_TYPE and not p.schema[column].is_numeric():
        raise p.error(
            f"has an aggregate that needs numbers; {column!r} is of type {p.schema[column]}.",
            "Put CHANGE_DATA_TYPE before it.",
        )
    value = _AGGREGATES[function](pl.col(column))
    kind = pl.DataFrame(schema=dict(p.schema)).select(value.alias("v")).schema["v"]
    return given["name"].removeprefix(":"), Term(value, kind)


def unified(p: Arguments, terms: list[Term]) -> tuple[list[pl.Expr], pl.DataType]:
    """The terms as one type: the one they have, a number where all are numbers, else text."""
    kinds = {t.kind if t.kind is not None else _kind(t.literal) for t in terms} - {pl.Null()}
    if len(kinds) == 1:
        (kind,) = kinds
    elif not kinds:
        kind = pl.String()
    elif all(k.is_numeric() for k in kinds):
        kind = pl.Int64() if all(k.is_integer() for k in kinds) else pl.Float64()
    else:
        kind = pl.String()
    return [_as(p, t, kind) for t in terms], kind


def _kind(literal: str | float | bool | None) -> pl.DataType:
    if isinstance(literal, bool):
        return pl.Boolean()
    if isinstance(literal, str):
        return pl.String()
    return pl.Int64() if literal is not None and float(literal).is_integer() else pl.Float64()


def _as(p: Arguments, term: Term, kind: pl.DataType) -> pl.Expr:
    own = term.kind if term.kind is not None else _kind(term.literal)
    if own == kind or own == pl.Null:
        return term.value.cast(kind)
    if kind != pl.String:
        return term.value.cast(kind)
    text = casts.to_text(term.value, own)
    if text is None:
        raise p.error(f"would write a column of type {own} as text.", "Put another action before it.")
    return text


def alike(p: Arguments, term: Term, other: Term) -> pl.Expr:
    """A term as something that can be compared with the other, literals as the column's type."""
    mine = term.kind if term.kind is not None else _kind(term.literal)
    theirs = other.kind if other.kind is not None else _kind(other.literal)
    if mine == theirs or pl.Null() in (mine, theirs) or (mine.is_numeric() and theirs.is_numeric()):
        return term.value
    if mine.is_temporal() and theirs.is_temporal():
        return term.value.cast(pl.Datetime("us"))
    if term.kind is None and isinstance(term.literal, str) and other.kind is not None:
        name = next((n for n, t in casts.DATA_TYPES.items() if t == theirs), None)
        name = "timestamp" if isinstance(theirs, pl.Datetime) else "double" if theirs.is_numeric() else name
        read = casts.cast(pl.lit(term.literal), pl.String(), name) if name else None
        if read is not None and pl.select(read).item() is not None:
            return read
    if other.kind is None and isinstance(other.literal, str) and term.kind is not None:
        return term.value
    raise p.error(f"compares {mine} with {theirs}.", "Put CHANGE_DATA_TYPE before it.")
