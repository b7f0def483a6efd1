"""From a change, in the vocabulary of the registry, to what it does to a frame."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cleanrooms.errors import RecipeError
from cleanrooms.recipes.arguments import Settings
from cleanrooms.recipes.frames import Transform
from cleanrooms.recipes.model import Step
from cleanrooms.recipes.registry import Assign, Change, Drop, Keep, Reshape, Whole


def _need_whole(step: Step, change: Whole, where: pl.Expr | None, settings: Settings) -> None:
    if where is not None:
        raise step.error("works on the whole table and takes no conditions.", "Remove them.")
    if not settings.whole_table:
        raise step.error(
            "needs every row of the table at once, and the worker streams batches.",
            "Use another engine for this source, or compile for a whole table that fits in memory.",
        )
    if change.by_values and not settings.table_known:
        raise step.error(
            "makes columns that depend on the values, and the columns of a published table are fixed.",
            "Run it at the terminal with --whole-table, or in the service.",
        )


def transform_of(
    step: Step, change: Change, where: pl.Expr | None, schema: Mapping[str, pl.DataType], settings: Settings
) -> Transform:
    """What a step does to a frame.

    :param where: the step's conditions
    :param schema: columns before the step
    :raises RecipeError: the change cannot have conditions, or not run where the plan is to run
    """
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
        _need_whole(step, change, where, settings)
        return change.transform
    if where is not None:
        raise step.error("changes columns as a whole and takes no conditions.", "Remove them.")
    if isinstance(change, Reshape):
        return change.transform
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


def tried(step: Step, transform: Transform, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame after the step.

    :raises RecipeError: it cannot work on columns of these types
    """
    try:
        return transform(frame)
    except RecipeError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        kind = type(error).__name__
    types = ", ".join(f"{n} {t}" for n, t in frame.schema.items())
    raise step.error(f"cannot work on columns of these types ({kind}).", f"Columns at this step: {types}.")
