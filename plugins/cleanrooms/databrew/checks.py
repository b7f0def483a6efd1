"""What the engine cannot take, found when the config is read. Pure and light: DAG files run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cleanrooms.databrew.catalogue import BY_VALUES, COMPUTED, SERVICE_ONLY
from cleanrooms.errors import ConfigError, RecipeError
from cleanrooms.recipes.model import Recipe, Step

if TYPE_CHECKING:
    from cleanrooms.config.source import Source

HASH = "CRYPTOGRAPHIC_HASH"


def refused(source: Source) -> str | None:
    """Why a source of ``engine: databrew`` cannot be one, and what to do; None when it can."""
    if source.databrew is None:
        return "which needs the section databrew with the role of its job and a bucket for staged rows"
    if source.database is not None:
        return (
            "but the rows come from a database, and plain rows of it must not be staged; use worker, or have "
            "them exported to S3"
        )
    if source.export is not None and source.export.encryption is not None:
        return (
            "but the export is encrypted, and DataBrew would need it decrypted at rest; use worker, or glue for "
            "large data"
        )
    if source.hash_encoding == "binary":
        return "but hash_encoding is binary, and DataBrew writes digests as text; use base64 or hex"
    if source.rotation:
        return (
            "but the section rotation has two keys live at a time, and DataBrew reads the current version of one "
            "secret; use worker or glue"
        )
    if source.identity:
        return (
            f"but the section identity normalises {source.identity[0].column}, which DataBrew cannot; use worker "
            "or glue, or normalise by steps of the recipe"
        )
    return None


def check_recipe(source: Source) -> None:
    """Refuse a recipe file that the service, or what we do with its output, cannot take.

    :raises ConfigError: names the source's file, the field and the fix
    """
    try:
        recipe = Recipe.load(source.recipe_path)
    except RecipeError as error:
        raise ConfigError(
            f"{source.path.name}: field recipe: in {source.recipe}, {error.what}", error.todo
        ) from error
    unforeseen = [step for step in recipe.steps if not computed(step)]
    problem = _unknown(recipe) or _secret(recipe) or _hex(source, recipe)
    if problem is None and unforeseen and not names_output(source):
        step = unforeseen[0]
        problem = (
            f"step {step.number} ({step.operation}) leaves columns that only the service knows",
            "Name the columns that the recipe leaves, with their types, under databrew.output.",
        )
    if problem is None and not unforeseen and names_output(source):
        raise ConfigError(
            f"{source.path.name}: field databrew.output: the columns follow from the recipe's steps.",
            f"Remove it from {source.path}.",
        )
    if problem is not None:
        what, todo = problem
        raise ConfigError(f"{source.path.name}: field recipe: in {source.recipe}, {what}.", todo)


def computed(step: Step) -> bool:
    """Whether our engine knows what the step leaves; entities in texts are found by the service alone."""
    return step.operation in COMPUTED - BY_VALUES and "entityTypeFilter" not in step.parameters


def names_output(source: Source) -> bool:
    """Whether the source says itself which columns the recipe leaves."""
    return bool(source.databrew and source.databrew.output)


def _unknown(recipe: Recipe) -> tuple[str, str] | None:
    for step in recipe.steps:
        if step.operation not in COMPUTED | SERVICE_ONLY:
            return (
                f"step {step.number} has the action {step.operation}, which is not in DataBrew's catalogue",
                "Correct its name; the guide's pages call some actions otherwise (DATEADD is DATE_ADD).",
            )
        if step.operation in ("GET_ACTION_RESULT", "GET_STEP_DATAFRAME", "JOIN", "UNION"):
            return (
                f"step {step.number} ({step.operation}) needs a second dataset or the console's session",
                "Join in the query of the collaboration, or before the export.",
            )
    return None


def _secret(recipe: Recipe) -> tuple[str, str] | None:
    for step in recipe.steps:
        for name in ("createSecretIfMissing", "secretVersion"):
            if step.operation == HASH and name in step.parameters:
                return (
                    f"step {step.number} ({HASH}) has {name}",
                    "Create the secret beforehand and name it in secretId; the table's metadata records the "
                    "version that was used.",
                )
    return None


def _hex(source: Source, recipe: Recipe) -> tuple[str, str] | None:
    """The service writes base64, and we rewrite it at the end: no later step may have worked on it."""
    if source.hash_encoding != "hex":
        return None
    hashed: set[str] = set()
    for step in recipe.steps:
        used = hashed & set(columns_of(step))
        if step.operation == HASH:
            hashed |= set(columns_of(step))
        elif step.operation == "RENAME" and used:
            hashed = hashed - used | {step.parameters.get("targetColumn", "")}
        elif used and step.operation != "DELETE" and not step.operation.startswith("MOVE_"):
            return (
                f"step {step.number} ({step.operation}) works on the digests in {', '.join(sorted(used))}, which "
                "DataBrew writes in base64 and hash_encoding wants in hex",
                "Hash after that step, or use hash_encoding: base64.",
            )
    return None


def columns_of(step: Step) -> list[str]:
    """Texts in a step's parameters that may name columns, lists in JSON taken apart."""
    found: list[str] = [condition.column for condition in step.conditions]
    for name, text in step.parameters.items():
        if name == "targetColumn" and step.operation == "RENAME":
            continue
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found += [v for v in value if isinstance(v, str)] if isinstance(value, list) else [text]
    return found
