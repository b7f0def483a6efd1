"""Basic column actions: names and order. They move no values.

Source: DataBrew guide, "Basic column recipe steps".
"""

from __future__ import annotations

import polars as pl

from cleanrooms.recipes.arguments import Arguments
from cleanrooms.recipes.registry import Arrange, Assign, Change, action

CATEGORY = "basic column"


@action("RENAME", CATEGORY, "sourceColumn targetColumn", note="a name that exists already is refused")
def rename(p: Arguments) -> Change:
    source, target = p.column(), p.target()
    return Arrange(tuple((target if c == source else c, c) for c in p.schema))


@action("DELETE", CATEGORY, "sourceColumn? sourceColumns?", note="sourceColumns takes a JSON list")
def delete(p: Arguments) -> Change:
    if p.has("sourceColumn") == p.has("sourceColumns"):
        raise p.error("needs either sourceColumn or sourceColumns.")
    gone = {p.column()} if p.has("sourceColumn") else set(p.columns())
    if gone == set(p.schema):
        raise p.error("would leave no column.", "Keep one at least.")
    return Arrange(tuple((c, c) for c in p.schema if c not in gone))


@action("DUPLICATE", CATEGORY, "sourceColumn targetColumn", note="the copy is placed at the end")
def duplicate(p: Arguments) -> Change:
    source, target = p.column(), p.target()
    return Assign({target: pl.col(source)}, copies={target: source})


@action("MOVE_AFTER", CATEGORY, "sourceColumn targetColumn")
def move_after(p: Arguments) -> Change:
    return _beside(p, 1)


@action("MOVE_BEFORE", CATEGORY, "sourceColumn targetColumn")
def move_before(p: Arguments) -> Change:
    return _beside(p, 0)


@action("MOVE_TO_START", CATEGORY, "sourceColumn")
def move_to_start(p: Arguments) -> Change:
    return _place(p, 0)


@action("MOVE_TO_END", CATEGORY, "sourceColumn")
def move_to_end(p: Arguments) -> Change:
    return _place(p, len(p.schema))


@action("MOVE_TO_INDEX", CATEGORY, "sourceColumn targetIndex", note="zero-based; beyond the last is the end")
def move_to_index(p: Arguments) -> Change:
    return _place(p, p.integer("targetIndex", least=0))


def _beside(p: Arguments, offset: int) -> Change:
    source, neighbour = p.column(), p.column("targetColumn")
    if source == neighbour:
        raise p.error("moves a column beside itself.")
    rest = [c for c in p.schema if c != source]
    return _place(p, rest.index(neighbour) + offset)


def _place(p: Arguments, index: int) -> Change:
    source = p.column()
    order = [c for c in p.schema if c != source]
    order.insert(index, source)
    return Arrange(tuple((c, c) for c in order))
