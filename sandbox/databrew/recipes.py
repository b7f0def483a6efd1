"""Recipes and their versions.

A recipe has one working version, which UpdateRecipe changes, and published ones, which nothing changes.
Numbers are ``X.0`` for the published ones, counted from 1, and ``X.1`` for the working one behind ``X.0``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.cleanrooms.state import Document
from sandbox.databrew import names
from sandbox.databrew.base import Brew, page
from sandbox.databrew.refusals import conflict, invalid, missing, over_quota
from sandbox.wire import Caller, ServiceFault

WORKING, PUBLISHED = "LATEST_WORKING", "LATEST_PUBLISHED"
MOST_STEPS = 100
_NUMBER = re.compile(r"\d{1,5}\.\d{1,5}")
_SHOWN = ("Name", "ResourceArn", "CreatedBy", "CreateDate", "LastModifiedBy", "LastModifiedDate")


class Recipes(Brew):
    """Operations on recipes."""

    def create_recipe(self, caller: Caller, **request: Any) -> Document:
        """Creates a recipe with a working version only."""
        _check_steps(request["Steps"])
        created = self.create(
            caller, "recipe", self.settings.recipes, {**request, "_versions": [], "_next": 1}
        )
        return {"Name": created["Name"]}

    def update_recipe(self, caller: Caller, **request: Any) -> Document:
        """Replaces the working version."""
        _check_steps(request.get("Steps") or [])
        with self.store.transaction():
            found = self.owned(caller, "recipe", request["Name"])
            changes = {k: request[k] for k in ("Description", "Steps") if k in request}
            self.change(caller, "recipe", found, **changes)
        return {"Name": request["Name"]}

    def publish_recipe(self, caller: Caller, **request: Any) -> Document:
        """Makes the working version a published one, under the next number."""
        with self.store.transaction():
            found = self.owned(caller, "recipe", request["Name"])
            if len(found["_versions"]) >= self.settings.recipe_versions:
                raise over_quota(self.settings.recipe_versions, "published versions per recipe")
            version = {
                "RecipeVersion": f"{found['_next']}.0",
                "Steps": found["Steps"],
                "Description": request.get("Description", found.get("Description")),
                "PublishedBy": caller.principal_arn,
                "PublishedDate": names.now(),
            }
            self.store.save(
                "recipe", found | {"_versions": [*found["_versions"], version], "_next": found["_next"] + 1}
            )
        return {"Name": request["Name"]}

    def describe_recipe(self, caller: Caller, **request: Any) -> Document:
        """Returns a version, the latest published one unless another is named."""
        found = self.owned(caller, "recipe", request["Name"])
        return self._version(found, version_of(found, request.get("RecipeVersion", PUBLISHED)))

    def list_recipes(self, caller: Caller, **request: Any) -> Document:
        """Returns the latest published version of each recipe, or the working one."""
        wanted = request.get("RecipeVersion", PUBLISHED)
        if wanted not in (WORKING, PUBLISHED):
            raise invalid(f"RecipeVersion must be {WORKING} or {PUBLISHED}.")
        recipes = [r for r in self.all_of(caller, "recipe") if wanted == WORKING or r["_versions"]]
        shown, token = page(recipes, request, f"recipes {wanted}")
        return {"Recipes": [self._version(r, version_of(r, wanted)) for r in shown], **token}

    def list_recipe_versions(self, caller: Caller, **request: Any) -> Document:
        """Returns all published versions, oldest first."""
        found = self.store.get("recipe", names.key(caller, request["Name"]))
        versions = found["_versions"] if found else []
        shown, token = page(versions, request, f"versions {request['Name']}")
        return {"Recipes": [self._version(found, v) for v in shown if found], **token}

    def delete_recipe_version(self, caller: Caller, **request: Any) -> Document:
        """Deletes one version; the working one only as the last."""
        with self.store.transaction():
            found = self.owned(caller, "recipe", request["Name"])
            self._delete(caller, found, _deletable(request["RecipeVersion"]))
        return {"Name": request["Name"], "RecipeVersion": request["RecipeVersion"]}

    def batch_delete_recipe_version(self, caller: Caller, **request: Any) -> Document:
        """Deletes several versions; what cannot go is told version by version."""
        wanted = [_deletable(version) for version in request["RecipeVersions"]]
        if len(set(wanted)) < len(wanted):
            raise invalid("The list of versions has duplicate entries.")
        self.owned(caller, "recipe", request["Name"])
        errors = []
        # The working version goes last: it may only when no other is left.
        for version in sorted(wanted, key=lambda one: one == WORKING):
            with self.store.transaction():
                try:
                    self._delete(caller, self.owned(caller, "recipe", request["Name"]), version)
                except ServiceFault as fault:
                    code = "404" if fault.code == "ResourceNotFoundException" else "409"
                    errors.append(
                        {"ErrorCode": code, "ErrorMessage": fault.message, "RecipeVersion": version}
                    )
        return {"Name": request["Name"], **({"Errors": errors} if errors else {})}

    def _delete(self, caller: Caller, found: Document, version: str) -> None:
        number = version_of(found, version)["RecipeVersion"]
        jobs = self.all_of(caller, "job")
        users = [job["Name"] for job in jobs if _uses(job, found["Name"], {version, number})]
        if users:
            raise conflict(f"Version {version} of recipe {found['Name']} is used by job {users[0]}.")
        if version != WORKING:
            kept = [v for v in found["_versions"] if v["RecipeVersion"] != number]
            self.store.save("recipe", found | {"_versions": kept})
        elif found["_versions"]:
            raise conflict(f"Recipe {found['Name']} has published versions: {WORKING} cannot be deleted.")
        else:
            self.remove("recipe", found)

    def _version(self, recipe: Document, version: Document) -> Document:
        tags = {k: v for k, v in self.shown(recipe).items() if k == "Tags"}
        return {**{name: recipe[name] for name in _SHOWN}, **version, **tags}


def version_of(recipe: Document, wanted: str) -> Document:
    """Returns one version's own members, ``RecipeVersion`` and ``Steps`` among them.

    :raises ServiceFault: ResourceNotFoundException; ValidationException for what is no version at all
    """
    if wanted == WORKING:
        number = f"{recipe['_next'] - 1}.1"
        return {
            "RecipeVersion": number,
            "Steps": recipe["Steps"],
            "Description": recipe.get("Description"),
        }
    if wanted != PUBLISHED and not _NUMBER.fullmatch(wanted):
        raise invalid(f"{wanted} is not a recipe version: write X.Y, {WORKING} or {PUBLISHED}.")
    found: list[Document] = [v for v in recipe["_versions"] if wanted in (PUBLISHED, v["RecipeVersion"])]
    if not found:
        raise missing("recipe", f"{recipe['Name']} in version {wanted}")
    return found[-1]


def _uses(job: Document, recipe: str, versions: set[str]) -> bool:
    reference = job["RecipeReference"]
    return reference["Name"] == recipe and reference["RecipeVersion"] in versions


def _deletable(version: str) -> str:
    if version != WORKING and not _NUMBER.fullmatch(version):
        raise invalid(f"{version} is not a version that can be deleted: write X.Y or {WORKING}.")
    return version


def _check_steps(steps: Sequence[Document]) -> None:
    from cleanrooms.recipes.actions import ACTIONS  # heavy, and most sandboxes see no recipe

    if len(steps) > MOST_STEPS:
        raise invalid(f"A recipe has at most {MOST_STEPS} steps, not {len(steps)}.")
    for number, step in enumerate(steps, start=1):
        operation = step["Action"]["Operation"]
        if operation not in ACTIONS:
            raise invalid(f"Step {number}: {operation} is not a recipe action.")
