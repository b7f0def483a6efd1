"""Nested columns: made from columns, and taken apart again.

Source: DataBrew guide, "Data structure recipe steps" (NEST_TO_*, UNNEST_*). Where columns of different types share
an array or a map, whole numbers become longs, other numbers doubles and everything else text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from cleanrooms.recipes import casts
from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Change, Reshape, Tier, action

CATEGORY = "data structure"
_NEST = "sourceColumns targetColumn removeSourceColumns?"
_COMMON_TYPE = "different types become numbers if all are, else text"
Cell = tuple[pl.Expr, pl.DataType]
_Map: Any = getattr(pl, "Map", None)
"""The type of maps, which Polars has from 2.0 on; before, Arrow's maps come as lists of their entries."""


@action("NEST_TO_STRUCT", CATEGORY, _NEST, note="a struct of the columns, types and order kept")
def nest_to_struct(p: Arguments) -> Change:
    return _nested(p, lambda columns: pl.struct(columns))


@action("NEST_TO_ARRAY", CATEGORY, _NEST, note=_COMMON_TYPE)
def nest_to_array(p: Arguments) -> Change:
    return _nested(
        p, lambda columns: pl.concat_list(_common(p, [(pl.col(c), p.schema[c]) for c in columns])[0])
    )


@action("NEST_TO_MAP", CATEGORY, _NEST, note=f"from the columns' names; {_COMMON_TYPE}")
def nest_to_map(p: Arguments) -> Change:
    if _Map is None:
        raise p.error(
            f"makes maps, which Polars {pl.__version__} lacks.", "Install Polars 2, or use NEST_TO_STRUCT."
        )

    def build(columns: list[str]) -> pl.Expr:
        values, kind = _common(p, [(pl.col(c), p.schema[c]) for c in columns])
        return _pairs(columns, values).cast(_Map(pl.String(), kind))

    return _nested(p, build)


def _nested(p: Arguments, build: Callable[[list[str]], pl.Expr]) -> Change:
    columns, target, remove = p.columns(), p.text("targetColumn"), p.flag("removeSourceColumns")
    if not (remove and target in columns):
        target = p.target()
    value = build(columns).alias(target)
    kept = [c for c in p.schema if not (remove and c in columns)]
    return Reshape(lambda frame: frame.select(*kept, value), frozenset({target}))


def _pairs(names: Sequence[str], values: Sequence[pl.Expr]) -> pl.Expr:
    return pl.concat_list(
        [pl.struct(pl.lit(n).alias("key"), v.alias("value")) for n, v in zip(names, values, strict=True)]
    )


def _common(p: Arguments, cells: Sequence[Cell]) -> tuple[list[pl.Expr], pl.DataType]:
    """The cells as one type, and the type."""
    kinds = {kind for _, kind in cells} - {pl.Null()}
    if len(kinds) == 1:
        (kind,) = kinds
        return [value.cast(kind) for value, _ in cells], kind
    if kinds and all(k.is_numeric() for k in kinds):
        kind = pl.Int64() if all(k.is_integer() for k in kinds) else pl.Float64()
        return [value.cast(kind) for value, _ in cells], kind
    texts = [casts.to_text(value, kind) for value, kind in cells]
    known = [t.cast(pl.String) for t in texts if t is not None]
    if len(known) < len(cells):
        raise p.error("would write nested or binary columns as text.", "Nest columns of one type.")
    return known, pl.String()


@action(
    "UNNEST_ARRAY",
    CATEGORY,
    "sourceColumn targetColumn removeSourceColumn?",
    note="a row per element; an empty or null array keeps its row, with null",
)
def unnest_array(p: Arguments) -> Change:
    column, target = p.column(), p.text("targetColumn")
    if not isinstance(p.schema[column], pl.List | pl.Array):
        raise p.error(f"takes arrays apart; {column!r} is of type {p.schema[column]}.")
    if target != column:
        target = p.target()
    gone = [column] if p.flag("removeSourceColumn") and target != column else []

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        rows = frame.with_columns(pl.col(column).alias(target))
        return rows.explode(target, empty_as_null=True, keep_nulls=True).drop(gone)

    return Reshape(run, frozenset({target}))


@action(
    "UNNEST_MAP",
    CATEGORY,
    "sourceColumn removeSourceColumn? targetColumn?",
    tier=Tier.TOLERANT,
    note="a row per entry, in <prefix>.key and <prefix>.value; an empty or null map keeps its row, with nulls",
)
def unnest_map(p: Arguments) -> Change:
    column = p.column()
    prefix = p.text("targetColumn", column)
    names = _free(p, [f"{prefix}.key", f"{prefix}.value"])
    entries, gone = _entries(p, column).alias(names[0]), [column] if p.flag("removeSourceColumn") else []

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        rows = frame.with_columns(entries).explode(names[0], empty_as_null=True, keep_nulls=True)
        entry = pl.col(names[0]).struct
        return rows.with_columns(
            entry.field("key").alias(names[0]), entry.field("value").alias(names[1])
        ).drop(gone)

    return Reshape(run, frozenset(names))


def _entries(p: Arguments, column: str) -> pl.Expr:
    """The entries of a map, or of a struct, which is how JSON readers see one; absent fields are no entries."""
    kind = p.schema[column]
    if _Map is not None and isinstance(kind, _Map):
        return pl.col(column).map.entries()
    if isinstance(kind, pl.Struct):
        fields = dict(_fields(pl.col(column), kind))
        values, _ = _common(p, list(fields.values()))
        present = _pairs(list(fields), values).list.filter(pl.element().struct.field("value").is_not_null())
        return pl.when(pl.col(column).is_not_null()).then(present)
    inner = kind.inner if isinstance(kind, pl.List) else None
    if isinstance(inner, pl.Struct) and [f.name for f in inner.fields] == ["key", "value"]:
        return pl.col(column)
    raise p.error(f"takes maps apart; {column!r} is of type {kind}.")


@action(
    "UNNEST_STRUCT",
    CATEGORY,
    "sourceColumn removeSourceColumn? targetColumn?",
    tier=Tier.TOLERANT,
    note="a column <prefix>.<field> per field of the first level; the prefix is the column unless given",
)
def unnest_struct(p: Arguments) -> Change:
    column = p.column()
    return _unnested(p, [column], 1, ".", p.text("targetColumn", column), p.flag("removeSourceColumn"))


@action(
    "UNNEST_STRUCT_N",
    CATEGORY,
    "sourceColumns? regexColumnSelector? removeSourceColumn? unnestLevel? delimiter?",
    note="all levels unless unnestLevel says how many; names are parted by a dot unless delimiter is given",
)
def unnest_struct_n(p: Arguments) -> Change:
    levels = p.integer("unnestLevel", 100, least=1)
    return _unnested(p, selected(p), levels, p.text("delimiter", "."), None, p.flag("removeSourceColumn"))


def selected(p: Arguments) -> list[str]:
    """The columns of sourceColumns, or those whose whole names match regexColumnSelector."""
    if p.has("sourceColumns") == p.has("regexColumnSelector"):
        raise p.error("needs either sourceColumns or regexColumnSelector.")
    if p.has("sourceColumns"):
        return p.columns()
    names = pl.Series(list(p.schema), dtype=pl.String)
    found = names.filter(names.str.contains(f"^(?:{p.pattern('regexColumnSelector')})$")).to_list()
    if not found:
        raise p.error("has a regexColumnSelector that no column matches.", f"Columns: {', '.join(p.schema)}.")
    return found


def _unnested(
    p: Arguments, columns: list[str], levels: int, delimiter: str, prefix: str | None, remove: bool
) -> Change:
    found: dict[str, pl.Expr] = {}
    for column in columns:
        kind = p.schema[column]
        if not isinstance(kind, pl.Struct):
            raise p.error(
                f"takes structs apart; {column!r} is of type {kind}.", "Use JSON_TO_STRUCTS on texts."
            )
        found |= _leaves(pl.col(column), kind, prefix or column, levels, delimiter)
    names = _free(p, list(found))
    kept = [c for c in p.schema if not (remove and c in columns)]
    values = [value.alias(name) for name, value in found.items()]
    return Reshape(lambda frame: frame.select(*kept, *values), frozenset(names))


def _leaves(value: pl.Expr, kind: pl.Struct, prefix: str, levels: int, delimiter: str) -> dict[str, pl.Expr]:
    found: dict[str, pl.Expr] = {}
    for name, (inner, inner_kind) in _fields(value, kind):
        path = f"{prefix}{delimiter}{name}"
        if isinstance(inner_kind, pl.Struct) and levels > 1:
            found |= _leaves(inner, inner_kind, path, levels - 1, delimiter)
        else:
            found[path] = inner
    return found


def _fields(value: pl.Expr, kind: pl.Struct) -> Iterator[tuple[str, Cell]]:
    for field in kind.fields:
        inner = field.dtype if isinstance(field.dtype, pl.DataType) else field.dtype()
        yield field.name, (value.struct.field(field.name), inner)


def _free(p: Arguments, names: list[str]) -> list[str]:
    taken = [n for n in names if n in p.schema]
    if taken:
        raise p.error(f"would make the column {taken[0]!r}, which exists.", "Rename it first.")
    return names
