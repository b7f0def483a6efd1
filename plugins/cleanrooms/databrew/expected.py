"""What the service's output must be: its columns with their types, and how many rows it may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from cleanrooms.databrew.catalogue import ROWS_COME, ROWS_GO
from cleanrooms.databrew.checks import columns_of, computed
from cleanrooms.databrew.names import engine
from cleanrooms.errors import RecipeError
from cleanrooms.identity import METADATA
from cleanrooms.recipes import Recipe
from cleanrooms.sources.cells import arrow_type
from cleanrooms.sources.contract import contract_schema

if TYPE_CHECKING:
    from cleanrooms.config.source import Source
    from cleanrooms.identity import SecretKey


@dataclass(frozen=True)
class Expected:
    """:ivar schema: columns in the order of the table, digests with their metadata"""

    schema: pa.Schema
    may_lose_rows: bool
    may_gain_rows: bool

    def fits(self, rows_in: int, rows_out: int) -> bool:
        """Whether so many rows can come of so many."""
        return (
            (rows_out == rows_in)
            or (self.may_lose_rows and rows_out < rows_in)
            or (self.may_gain_rows and rows_out > rows_in)
        )


def expected(source: Source, secrets: Callable[[str], SecretKey]) -> Expected:
    """Read off the recipe, or off ``databrew.output`` where steps are the service's alone.

    :raises RecipeError: the recipe does not fit the contract's columns; names the step
    """
    recipe = Recipe.load(source.recipe_path)
    operations = {step.operation for step in recipe.steps}
    read = _declared if engine(source).output else _compiled
    schema = read(source, recipe, secrets)
    return Expected(schema, bool(operations & (ROWS_GO | ROWS_COME)), bool(operations & ROWS_COME))


def _compiled(source: Source, recipe: Recipe, secrets: Callable[[str], SecretKey]) -> pa.Schema:
    plan = recipe.compile(
        contract_schema(source.contract),
        secrets,
        hash_encoding=source.hash_encoding,
        tolerant=True,
        whole_table=True,
    )
    return plan.output_schema


def _declared(source: Source, recipe: Recipe, secrets: Callable[[str], SecretKey]) -> pa.Schema:
    """The declared columns; those that our engine sees hashed get their metadata from it.

    It runs without the service's own steps, most of which change values in place; where they do not, the
    recipe does not compile and the digests are known by ``hygiene.columns`` only.
    """
    known = replace(recipe, steps=tuple(step for step in recipe.steps if computed(step)))
    try:
        hashed = {field.name: field.metadata for field in _compiled(source, known, secrets)}
    except RecipeError:
        hashed = {}
    touched = {name for step in recipe.steps if not computed(step) for name in columns_of(step)}
    fields = []
    for column in engine(source).output:
        metadata = hashed.get(column.name) or {}
        ours = METADATA in metadata and column.type == "string" and column.name not in touched
        fields.append(pa.field(column.name, arrow_type(column), metadata=metadata if ours else None))
    return pa.schema(fields)
