"""JSON texts as structs. Source: DataBrew guide, JSON_TO_STRUCTS: one schema that all objects of a column fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from cleanrooms.recipes.actions.nesting import CATEGORY, selected
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Change, Tier, Whole, action


@action(
    "JSON_TO_STRUCTS",
    CATEGORY,
    "sourceColumns? regexColumnSelector? removeSourceColumn? unnestLevel?",
    tier=Tier.TOLERANT,
    note="the struct replaces the text, or stands in <column>_struct beside it; what is no JSON object gives null; "
    "levels below unnestLevel, and fields of several types, stay JSON text",
)
def json_to_structs(p: Arguments) -> Change:
    columns, levels, remove = (
        selected(p),
        p.integer("unnestLevel", 100, least=1),
        p.flag("removeSourceColumn"),
    )
    targets = {c: c if remove else f"{c}_struct" for c in columns}
    for column, target in targets.items():
        p.need_text(column)
        if not remove and target in p.schema:
            raise p.error(f"would make the column {target!r}, which exists.", "Rename it first.")

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        made = [_structs(frame.get_column(c), levels).alias(t) for c, t in targets.items()]
        return frame.with_columns(made)

    return Whole(run, frozenset(targets.values()), by_values=True)


def _structs(texts: pl.Series, levels: int) -> pl.Series:
    objects = [_read(t) for t in texts.to_list()]
    kind = _common([o for o in objects if o is not None], levels)
    if not isinstance(kind, pl.Struct):
        return pl.Series(texts.name, [None] * len(texts), pl.String)
    return pl.Series(texts.name, [_fit(o, kind) for o in objects], kind)


def _read(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _common(values: Sequence[Any], levels: int) -> pl.DataType:
    """The narrowest type that holds all values; JSON text where they differ."""
    known = [v for v in values if v is not None]
    kinds = {type(v) for v in known}
    if kinds == {dict} and levels > 0 and any(known):
        names = dict.fromkeys(n for v in known for n in v)
        return pl.Struct({n: _common([v.get(n) for v in known], levels - 1) for n in names})
    if kinds == {list}:
        return pl.List(_common([e for v in known for e in v], levels))
    if kinds == {bool}:
        return pl.Boolean()
    if kinds == {int} and all(-(2**63) <= v < 2**63 for v in known):
        return pl.Int64()
    return pl.Float64() if kinds and kinds <= {int, float} else pl.String()


def _fit(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, pl.Struct):
        return {f.name: _fit(value.get(f.name), f.dtype) for f in kind.fields}  # type: ignore[arg-type]
    if isinstance(kind, pl.List):
        return [_fit(e, kind.inner) for e in value]  # type: ignore[arg-type]
    if kind == pl.String and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return float(value) if kind == pl.Float64 else value
