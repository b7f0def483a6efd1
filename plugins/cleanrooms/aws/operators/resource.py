"""Base of the operators that keep a Clean Rooms resource as a config says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.hooks.resource import Kind, Resources
from cleanrooms.aws.links.protected_query import CleanRoomsCollaborationLink, persist
from cleanrooms.aws.operators.base import CleanRoomsBaseOperator
from cleanrooms.errors import PermanentError

if TYPE_CHECKING:
    from airflow.sdk import Context


class _ResourceOperator(CleanRoomsBaseOperator[CleanRoomsHook]):
    kind: ClassVar[Kind]

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("config")
    template_fields_renderers = {"config": "json"}  # noqa: RUF012
    operator_extra_links = (CleanRoomsCollaborationLink(),)

    def __init__(self, *, config: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config

    @property
    def _resources(self) -> Resources:
        return Resources(self.hook, self.kind)

    @property
    def _subject(self) -> str:
        return self.kind.subject(self.config)

    def _check(self, *needed: str) -> None:
        lacking = [name for name in needed if not self.config.get(name)]
        if lacking:
            raise PermanentError(
                f"The config of the {self.kind.name.replace('_', ' ')} lacks {', '.join(lacking)}.",
                "Add what is missing: without it, it cannot be told which one is meant.",
            )

    def _link(self, context: Context, found: Mapping[str, Any]) -> None:
        """The collaboration of the resource, where the service names it; a table belongs to none."""
        own = found.get("id") if self.kind.name == "collaboration" else None
        if collaboration_id := found.get("collaborationId") or own:
            link = CleanRoomsCollaborationLink
            persist(context, self, self.hook, link, collaboration_id=collaboration_id)

    def _bring_up(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Update what differs.

        :raises PermanentError: what differs cannot be changed
        """
        changes, fixed = self._resources.differences(found, self.config)
        if fixed:
            raise PermanentError(
                f"The {self._subject} differs in {', '.join(sorted(fixed))}, which cannot be changed.",
                "Create one of another name, or delete it first if nothing depends on it.",
            )
        if not changes:
            self.log.info("The %s is as it should be", self._subject)
            return self._result(found, "unchanged")
        self.log.info("Updating %s of the %s", ", ".join(sorted(changes)), self._subject)
        return self._result(self._resources.update(found, self.config, changes), "updated")

    def _result(self, found: Mapping[str, Any], action: str) -> dict[str, Any]:
        facts = {name: found[name] for name in ("id", "arn") if name in found}
        return {**facts, "action": action}


class CreateOperator(_ResourceOperator):
    """Create a resource; one that exists already is found and brought to what the config says.

    So a retry after a lost answer, and a DAG that is run again, change nothing.

    :param config: arguments of the API's Create operation (templated)
    :param update_existing: whether a resource that differs is updated; else that is an error
    :return: ``id`` and ``arn`` where the kind has them, and ``action``: created, updated or unchanged
    """

    def __init__(self, *, update_existing: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.update_existing = update_existing

    def execute(self, context: Context) -> dict[str, Any]:
        """Find or create, and bring up to date.

        :raises PermanentError: the API refuses, or what differs cannot be changed
        :raises TransientError: trying again later may work
        """
        self._check(*self.kind.identity)
        found = self._resources.find(self.config)
        if found is None:
            self.log.info("Creating the %s", self._subject)
            created = self._create()
            self._link(context, created)
            return self._result(created, "created")
        self._link(context, found)
        if not self.update_existing and any(self._resources.differences(found, self.config)):
            raise PermanentError(
                f"The {self._subject} exists and differs from the config.",
                "Set update_existing, or take the config from what exists.",
            )
        return self._bring_up(found)

    def _create(self) -> dict[str, Any]:
        """Create it; what another task created at the same moment is taken."""
        try:
            return self._resources.create(self.config)
        except PermanentError as error:
            found = (
                self._resources.find(self.config) if error.data.get("code") == "ConflictException" else None
            )
            if found is None:
                raise
            return found


class UpdateOperator(_ResourceOperator):
    """Bring an existing resource to what the config says; equal fields are not sent.

    :param config: arguments of the API's Create operation, as far as they are to be kept (templated); which
        resource is meant is said by its identifier or by its name
    :return: ``id`` and ``arn`` where the kind has them, and ``action``: updated or unchanged
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Find, compare, update.

        :raises PermanentError: there is no such resource, or what differs cannot be changed
        """
        found = self._resources.find(self.config)
        if found is None:
            raise PermanentError(f"There is no {self._subject}.", "Create it first, or correct its name.")
        self._link(context, found)
        return self._bring_up(found)


class DeleteOperator(_ResourceOperator):
    """Delete a resource; one that is gone already is no error.

    :param config: which resource, by its identifier or by its name, with its parents (templated)
    :return: ``id`` (of an analysis rule, its type; None if there was none) and ``action``: deleted or absent
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Find and delete.

        :raises PermanentError: the API refuses, most often because something depends on it
        """
        deleted = self._resources.delete(self.config)
        self.log.info("The %s %s", self._subject, "was deleted" if deleted else "was gone already")
        return {"id": deleted, "action": "deleted" if deleted else "absent"}
