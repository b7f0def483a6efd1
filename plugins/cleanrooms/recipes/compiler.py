"""From steps to a plan: every step is tried on an empty frame, so that its columns and types are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from cleanrooms.errors import RecipeError
from cleanrooms.identity import ENCODINGS, METADATA, IdentityColumn, SecretKey
from cleanrooms.recipes import conditions
from cleanrooms.recipes.actions import ACTIONS
from cleanrooms.recipes.arguments import ALLOW_TOLERANT, Arguments, Settings
from cleanrooms.recipes.model import Recipe, Step
from cleanrooms.recipes.plan import Plan, Stage, Transform, to_frame
from cleanrooms.recipes.registry import Action, Arrange, Assign, Change, Drop, Keep, Tier, Whole

Facts = dict[str, dict[str, str]]


def compile_recipe(
    recipe: Recipe,
    schema: pa.Schema,
    secrets: Callable[[str], SecretKey],
    *,
    hash_encoding: str = "base64",
    identity: Sequence[IdentityColumn] = (),
    tolerant: bool = False,
    whole_table: bool = False,
) -> Plan:
    """See :meth:`cleanrooms.recipes.Recipe.compile`."""
    if hash_encoding not in ENCODINGS:
        raise RecipeError(
            f"Hash encoding {hash_encoding!r} is unknown.", f"Use one of {', '.join(ENCODINGS)}."
        )
    settings = Settings(_once(secrets), hash_encoding, tolerant, whole_table)
    frame = to_frame(pa.RecordBatch.from_pylist([], schema=schema))
    origin: dict[str, str] = {c: c for c in frame.columns}
    frame, facts = _identity(frame, identity, origin)
    stages: list[Stage] = []
    for step in recipe.steps:
        entry = find(step, settings)
        change = entry.build(Arguments(step, frame.schema, settings))
        transform = _transform(step, change, frame.schema, settings)
        after = _try(step, transform, frame)
        facts, origin = _carry(change, facts), _trace(change, origin, frame, after)
        frame = after
        stages.append(Stage(step, entry, transform, tuple((n, str(t)) for n, t in frame.schema.items())))
    return Plan(schema, _output(schema, frame, facts, origin), stages, identity)


def _identity(
    frame: pl.DataFrame, identity: Sequence[IdentityColumn], origin: dict[str, str]
) -> tuple[pl.DataFrame, Facts]:
    facts: Facts = {}
    for column in identity:
        for name in filter(None, (column.column, column.region_column)):
            if name not in frame.columns:
                raise RecipeError(
                    f"The identity column {name!r} is not among the source's columns.",
                    f"Columns: {', '.join(frame.columns)}.",
                )
        if column.column in facts:
            raise RecipeError(f"The identity column {column.column!r} is declared twice.", "Keep one.")
        frame = frame.with_columns(pl.lit(None, pl.String).alias(column.column))
        origin.pop(column.column)
        facts[column.column] = {"identifier": column.identifier, "dialect": column.label}
    return frame, facts


def find(step: Step, settings: Settings) -> Action:
    """The registered action of a step, after its parameters' names were checked.

    :raises RecipeError: unknown, refused, or not allowed by the settings
    """
    entry = ACTIONS.get(step.operation)
    if entry is None:
        known = ", ".join(sorted(n for n, a in ACTIONS.items() if not a.refused))
        raise step.error("is no action that is supported.", f"Supported: {known}.")
    if entry.refused:
        raise step.error(f"cannot run on the worker: {entry.reason}", "Use another engine for this source.")
    if entry.tier is Tier.TOLERANT and not settings.tolerant:
        raise step.error(f"may give another result in the service: {entry.note}", ALLOW_TOLERANT)
    unknown = sorted(set(step.parameters) - entry.required - entry.optional)
    if unknown:
        takes = ", ".join(sorted(entry.required | (entry.optional - {"functionStepType"}))) or "none"
        raise step.error(
            f"has parameters that are not supported: {', '.join(unknown)}.", f"It takes {takes}."
        )
    absent = sorted(entry.required - set(step.parameters))
    if absent:
        raise step.error(f"lacks parameters: {', '.join(absent)}.", "Add them.")
    return entry


def _need_whole(step: Step, where: pl.Expr | None, settings: Settings) -> None:
    if where is not None:
        raise step.error("works on the whole table and takes no conditions.", "Remove them.")
    if not settings.whole_table:
        raise step.error(
            "needs every row of the table at once, and the worker streams batches.",
            "Use another engine for this source, or compile for a whole table that fits in memory.",
        )


def _transform(
    step: Step, change: Change, schema: Mapping[str, pl.DataType], settings: Settings
) -> Transform:
    where = conditions.holds(step, schema)
    if isinstance(change, Assign):
        return _assign(change, where, schema)
    if isinstance(change, Keep):
        keep = change.where.fill_null(False)
        final = keep if where is None else keep | ~where
        return lambda frame: frame.filter(final)
    if isinstance(change, Drop):
        if where is None:
            raise step.error("removes rows by conditions, and has none.", "Add ConditionExpressions.")
        gone = ~where
        return lambda frame: frame.filter(gone)
    if isinstance(change, Whole):
        _need_whole(step, where, settings)
        return change.transform
    if where is not None:
        raise step.error("changes columns as a whole and takes no conditions.", "Remove them.")
    columns = [pl.col(old).alias(new) for new, old in change.columns]
    return lambda frame: frame.select(columns)


def _assign(change: Assign, where: pl.Expr | None, schema: Mapping[str, pl.DataType]) -> Transform:
    expressions = []
    for name, value in change.columns.items():
        if where is not None:
            otherwise = pl.col(name) if name in schema else pl.lit(None)
            value = pl.when(where).then(value).otherwise(otherwise)
        expressions.append(value.alias(name))
    return lambda frame: frame.with_columns(expressions)


def _try(step: Step, transform: Transform, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return transform(frame)
    except RecipeError:
        raise
    except Exception as error:
        kind = type(error).__name__
    types = ", ".join(f"{n} {t}" for n, t in frame.schema.items())
    raise step.error(f"cannot work on columns of these types ({kind}).", f"Columns at this step: {types}.")


def _carry(change: Change, facts: Facts) -> Facts:
    """Facts of the columns after a change: renames take them along, other changes of values end them."""
    if isinstance(change, Arrange):
        return {new: dict(facts[old]) for new, old in change.columns if old in facts}
    if not isinstance(change, Assign):
        return facts
    carried = dict(facts)
    for name in change.columns:
        old = dict(facts.get(change.copies.get(name, name), {}))
        carried.pop(name, None)
        if name in change.digest:
            carried[name] = {k: old[k] for k in ("identifier", "dialect") if k in old} | dict(
                change.digest[name]
            )
        elif change.canonical or name in change.copies:
            carried[name] = old
    return {name: found for name, found in carried.items() if found}


def _trace(
    change: Change, origin: dict[str, str], before: pl.DataFrame, after: pl.DataFrame
) -> dict[str, str]:
    """Which input column each column still is, as long as its type stayed: it keeps its Arrow type."""
    if isinstance(change, Arrange):
        return {new: origin[old] for new, old in change.columns if old in origin}
    if not isinstance(change, Assign):
        return origin
    return {n: o for n, o in origin.items() if n not in change.columns or before.schema[n] == after.schema[n]}


def _output(schema: pa.Schema, frame: pl.DataFrame, facts: Facts, origin: Mapping[str, str]) -> pa.Schema:
    fields = []
    arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    for name in frame.columns:
        if name in origin:
            kind, metadata = schema.field(origin[name]).type, schema.field(origin[name]).metadata
        else:
            kind, metadata = _plain_type(arrow.field(name).type), None
        if "algorithm" in facts.get(name, {}):
            metadata = {METADATA: json.dumps(facts[name], sort_keys=True).encode()}
        fields.append(pa.field(name, kind, metadata=metadata))
    return pa.schema(fields)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Arrow's everyday types for what Polars gives as large ones."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_null(kind):
        return pa.string()
    return kind


def _once(secrets: Callable[[str], SecretKey]) -> Callable[[str], SecretKey]:
    known: dict[str, SecretKey] = {}

    def secret(name: str) -> SecretKey:
        if name not in known:
            known[name] = secrets(name)
        return known[name]

    return secret


def describe(plan: Plan) -> list[dict[str, Any]]:
    """Steps with their tier and the columns that result, for people; no keys, no parameters' values."""
    return [
        {
            "step": s.step.number,
            "operation": s.step.operation,
            "tier": s.action.tier.value,
            "note": s.action.note,
            "columns": dict(s.columns),
        }
        for s in plan.stages
    ]
