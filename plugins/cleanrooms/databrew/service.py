"""The source's recipe and the day's dataset and job in DataBrew, made what they should be.

Every function may be repeated and may meet another run of itself: what is there already and right is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cleanrooms.databrew import names
from cleanrooms.errors import RecipeError, TransientError
from cleanrooms.recipes import Recipe

if TYPE_CHECKING:
    from cleanrooms.config.source import Source

log = logging.getLogger(__name__)

Steps = list[dict[str, Any]]
_TRIES = 3
_MISSING = "ResourceNotFoundException"


def steps_for_service(recipe: Recipe, arn_of: Callable[[str], str]) -> Steps:
    """The recipe's steps as CreateRecipe takes them; secrets by their ARN, never their value.

    :param arn_of: ARN of a secret by the name that the recipe file gives
    :raises RecipeError: the recipe has no step, which a job does not take
    """
    if not recipe.steps:
        raise RecipeError("The recipe has no steps.", "Add one; without any, use engine: worker.")
    steps = recipe.dump()
    for step in steps:
        parameters = step["Action"].get("Parameters", {})
        if "secretId" in parameters:
            parameters["secretId"] = arn_of(parameters["secretId"])
    return steps


def ensure_recipe(client: Any, source: Source, steps: Steps) -> str:
    """The published version that has exactly these steps; a new one is published if the latest has others.

    :return: its number, for a job to point to
    :raises TransientError: somebody else kept changing the recipe meanwhile
    """
    name = names.recipe_name(source)
    for _ in range(_TRIES):
        latest = _found(client.describe_recipe, Name=name)
        if latest is not None and _same(latest["Steps"], steps):
            return str(latest["RecipeVersion"])
        if (
            latest is None
            and _found(client.describe_recipe, Name=name, RecipeVersion="LATEST_WORKING") is None
        ):
            _unless_there(client.create_recipe, Name=name, Steps=steps, Tags=_tags(source))
        client.update_recipe(Name=name, Steps=steps, Description=source.description[:1024])
        # Another task may change the working version before it is published: what was published is looked at.
        client.publish_recipe(Name=name, Description=f"{source.recipe} of source {source.name}")
    latest = client.describe_recipe(Name=name)
    if _same(latest["Steps"], steps):
        return str(latest["RecipeVersion"])
    raise TransientError(
        f"Recipe {name} of source {source.name} was changed by somebody else while it was published.",
        "Nothing, the retry publishes it again; if it lasts, two deployments share databrew.name_prefix.",
    )


def ensure_dataset(client: Any, source: Source, day: date, token: str) -> None:
    """The day's dataset: the rows of that staging."""
    name, place = names.run_name(source, day), names.engine(source)
    location = {"Bucket": place.bucket, "Key": names.staged_key(source, day, token)}
    wanted = {"Name": name, "Format": "PARQUET", "Input": {"S3InputDefinition": location}}
    found = _found(client.describe_dataset, Name=name)
    if found is None:
        _unless_there(client.create_dataset, **wanted, Tags=_tags(source))
    elif {k: found.get(k) for k in ("Format", "Input")} != {k: wanted[k] for k in ("Format", "Input")}:
        client.update_dataset(**wanted)


def ensure_job(client: Any, source: Source, day: date, token: str, version: str) -> None:
    """The day's job on that version; one on another version or dataset is replaced, as neither can be updated."""
    name = names.run_name(source, day)
    fixed = {
        "DatasetName": name,
        "RecipeReference": {"Name": names.recipe_name(source), "RecipeVersion": version},
    }
    changing = _changing(source, day, token)
    found = _found(client.describe_job, Name=name)
    if found is not None and {k: found.get(k) for k in fixed} != fixed:
        client.delete_job(Name=name)
        found = None
    if found is None:
        _unless_there(client.create_recipe_job, Name=name, **fixed, **changing, Tags=_tags(source))
    elif {k: found.get(k) for k in changing} != changing:
        client.update_recipe_job(Name=name, **changing)


def remove_day(client: Any, source: Source, day: date) -> None:
    """Delete the day's job and dataset, a run that is still going included; the recipe stays."""
    name = names.run_name(source, day)
    try:
        _stop_runs(client, name)
        client.delete_job(Name=name)
    except ClientError as error:
        if _code(error) == "ConflictException":
            raise TransientError(
                f"DataBrew job {name} is still stopping and cannot be deleted.",
                "Nothing, the retry deletes it.",
            ) from None
        if _code(error) != _MISSING:
            raise
    _found(client.delete_dataset, Name=name)


def _stop_runs(client: Any, name: str) -> None:
    for run in client.list_job_runs(Name=name)["JobRuns"]:
        if run["State"] in ("STARTING", "RUNNING"):
            log.warning("Stopping run %s of DataBrew job %s, which nobody waits for.", run["RunId"], name)
            client.stop_job_run(Name=name, RunId=run["RunId"])


def _changing(source: Source, day: date, token: str) -> dict[str, Any]:
    place = names.engine(source)
    output = {
        "Location": {"Bucket": place.bucket, "Key": names.output_prefix(source, day, token)},
        "Format": "PARQUET",
        "CompressionFormat": "SNAPPY",
        "Overwrite": True,
    }
    return {
        "Outputs": [output],
        "RoleArn": place.role,
        "EncryptionMode": "SSE-KMS",
        "EncryptionKeyArn": place.kms_key,
        "MaxCapacity": place.nodes,
        # Ours are the retries: a run that DataBrew repeats by itself would be paid for without a word.
        "MaxRetries": 0,
        "Timeout": place.timeout_minutes,
    }


def _tags(source: Source) -> dict[str, str]:
    return {"Owner": source.owner, "cleanrooms:source": source.name}


def _same(found: Sequence[Mapping[str, Any]], steps: Steps) -> bool:
    return Recipe.parse(found) == Recipe.parse(steps)


def _found(call: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return call(**arguments)
    except ClientError as error:
        if _code(error) != _MISSING:
            raise
        return None


def _unless_there(create: Callable[..., Any], **arguments: Any) -> None:
    """Create; that another task was faster is no failure, as it makes the same."""
    try:
        create(**arguments)
    except ClientError as error:
        if _code(error) != "ConflictException":
            raise


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
