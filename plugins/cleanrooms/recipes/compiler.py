"""From steps to a plan: every step is tried on an empty frame, so that its columns and types are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl
import pyarrow as pa

from cleanrooms.errors import RecipeError
from cleanrooms.identity import ENCODINGS, METADATA, IdentityColumn, SecretKey
from cleanrooms.recipes import conditions
from cleanrooms.recipes.actions import ACTIONS
from cleanrooms.recipes.arguments import ALLOW_TOLERANT, Arguments, Settings, no_other_key
from cleanrooms.recipes.companions import Companions, visible, with_identity
from cleanrooms.recipes.frames import Transform, to_frame
from cleanrooms.recipes.model import Recipe, Step
from cleanrooms.recipes.narrow import Touched
from cleanrooms.recipes.plan import Plan, Stage
from cleanrooms.recipes.registry import Action, Arrange, Assign, Change, Reshape, Tier, Whole
from cleanrooms.recipes.transforms import transform_of, tried

Facts = dict[str, dict[str, str]]


def compile_recipe(
    recipe: Recipe,
    schema: pa.Schema,
    secrets: Callable[[str], SecretKey],
    *,
    hash_encoding: str = "base64",
    identity: Sequence[IdentityColumn] = (),
    tolerant: bool = False,
    whole_table: bool | pa.RecordBatch = False,
    other_key: Callable[[str], tuple[str, SecretKey] | None] = no_other_key,
) -> Plan:
    """See :meth:`cleanrooms.recipes.Recipe.compile`."""
    if hash_encoding not in ENCODINGS:
        raise RecipeError(
            f"Hash encoding {hash_encoding!r} is unknown.", f"Use one of {', '.join(ENCODINGS)}."
        )
    _nameable(recipe, schema.names)
    table = whole_table if isinstance(whole_table, pa.RecordBatch) and not identity else None
    settings = Settings(
        _once(secrets), hash_encoding, tolerant, whole_table is not False, table is not None, other_key
    )
    frame = to_frame(pa.RecordBatch.from_pylist([], schema=schema) if table is None else table)
    origin: dict[str, str] = {c: c for c in frame.columns}
    frame, facts = _identity(frame, identity, origin)
    stages: list[Stage] = []
    companions, touched = Companions({}), Touched(schema, identity)
    for step in recipe.steps:
        entry, schema_here = find(step, settings), visible(frame)
        change = entry.build(Arguments(step, schema_here, settings))
        where = conditions.holds(step, schema_here)
        transform = transform_of(step, change, where, schema_here, settings)
        touched.follow(change, where, transform)
        transform = companions.follow(step, _known(change, facts), schema_here, transform)
        after = tried(step, transform, frame)
        if odd := _odd_name(set(after.columns) - set(frame.columns)):
            raise step.error(f"would make a column named {odd!r}.", "Choose another name.")
        after = companions.check(step, change, after)
        facts, origin = _carry(change, facts, after), _trace(change, origin, frame, after)
        frame = after
        columns = tuple((n, str(t)) for n, t in visible(frame).items())
        whole = change if isinstance(change, Whole) else None
        stages.append(Stage(step, entry, transform, columns, _output(schema, frame, facts, origin), whole))
    ending = None
    if companions.held:
        ending, frame, shown = _show(companions, stages, frame)
        facts |= shown
    output = _output(schema, frame, facts, origin)
    return Plan(schema, output, stages, identity, ending, touched.found(output))


def _nameable(recipe: Recipe, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RecipeError(f"The column {twice!r} stands twice in the source.", "Rename one of them.")
    if recipe.steps and (odd := _odd_name(names)):
        raise recipe.steps[0].error(
            f"meets a column named {odd!r}, which cannot be told from others.", "Rename it in the source."
        )


def _odd_name(names: Iterable[str]) -> str | None:
    """A name that Polars reads as a pattern of names, or that Arrow cannot write."""
    return next((n for n in names if n == "*" or "\0" in n or (n[:1] == "^" and n[-1:] == "$")), None)


def _known(change: Change, facts: Facts) -> Change:
    if not isinstance(change, Assign) or not change.companions:
        return change
    known = {c: with_identity(companion, facts.get(c, {})) for c, companion in change.companions.items()}
    return replace(change, companions=known)


def _show(
    companions: Companions, stages: list[Stage], frame: pl.DataFrame
) -> tuple[Transform, pl.DataFrame, Facts]:
    """The second digests as columns of the table, after the last step."""
    last, shown = stages[-1], visible(frame)
    ending, found = companions.shown(shown)
    if taken := sorted(set(found) & set(shown)):
        raise last.step.error(
            f"leaves a column {taken[0]!r}, the name of keys of another epoch.", "Rename it in the recipe."
        )
    frame = ending(frame)
    stages[-1] = replace(last, columns=tuple((n, str(t)) for n, t in frame.schema.items()))
    return ending, frame, found


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


def _carry(change: Change, facts: Facts, after: pl.DataFrame) -> Facts:
    """Facts of the columns after a change: renames take them along, other changes of values end them."""
    if isinstance(change, Arrange):
        return {new: dict(facts[old]) for new, old in change.columns if old in facts}
    if isinstance(change, Reshape | Whole):
        return {n: f for n, f in facts.items() if n in after.columns and n not in change.made}
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
    if isinstance(change, Reshape | Whole):
        return {
            n: o
            for n, o in origin.items()
            if n in after.columns and n not in change.made and before.schema[n] == after.schema[n]
        }
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
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(_plain_type(kind.key_type), _plain_type(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _plain_type(f.type)) for f in kind])
    return kind


def _once(secrets: Callable[[str], SecretKey]) -> Callable[[str], SecretKey]:
    known: dict[str, SecretKey] = {}

    def secret(name: str) -> SecretKey:
        if name not in known:
            known[name] = secrets(name)
        return known[name]

    return secret
