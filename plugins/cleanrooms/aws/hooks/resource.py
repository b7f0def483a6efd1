"""What the kinds of Clean Rooms resources have in common: find, compare, create, update, delete."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cleanrooms.aws.meaning import from_aws
from cleanrooms.errors import PermanentError

if TYPE_CHECKING:
    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of resource, as the API names its parts.

    :param name: of the operations in snake case, such as ``configured_table``
    :param key: under which Create, Get and Update answer
    :param identity: arguments of Create that say which one is meant; of these, the parents come first
    :param identifier: argument of Get, Update and Delete with the id; None where ``identity`` is enough
    :param parents: those of ``identity`` that Get, List, Update and Delete take, too
    :param mutable: arguments of Create that Update takes
    :param listing: operation and key of the list in which one is found by its identity
    :param shown_as: argument of Create to field of the answer, where they differ
    :param updated_as: argument of Create to argument of Update, where they differ
    :param always: arguments that each Update takes
    :param list_arguments: more arguments of the list
    :param owner: field of the list with the account that the resource must belong to, where others' are listed
        too; a name alone could be a stranger's
    :param means: whether a config means the resource that Get shows, where the list cannot tell
    :param updated_value: makes of an argument of Create what Update takes of it
    """

    name: str
    key: str
    identity: tuple[str, ...]
    identifier: str | None = None
    parents: tuple[str, ...] = ()
    mutable: frozenset[str] = frozenset()
    listing: tuple[str, str] | None = None
    shown_as: Mapping[str, str] = field(default_factory=dict)
    updated_as: Mapping[str, str] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    list_arguments: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    means: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = None
    updated_value: Callable[[Any], Any] | None = None

    def subject(self, config: Mapping[str, Any]) -> str:
        """The resource in words, by what the config says of it."""
        facts = [str(config[name]) for name in (*self.identity, self.identifier) if name and name in config]
        return f"{self.name.replace('_', ' ')} {' of '.join(reversed(facts)) or '(unnamed)'}"


class Resources:
    """The resources of one kind, through a hook."""

    def __init__(self, hook: CleanRoomsHook, kind: Kind) -> None:
        self._hook = hook
        self._client: Any = hook.conn
        self._kind = kind

    def find(self, config: Mapping[str, Any]) -> Document | None:
        """The resource that a config means, as Get shows it; None if there is none.

        :raises PermanentError: several have that name
        """
        kind = self._kind
        keys = self._keys(config)
        if keys is not None:
            return self._get(keys, config)
        found = list(self._listed(config))
        if kind.means:
            shown = [self._shown(item, config) for item in found]
            found = [item for item in shown if item is not None and kind.means(config, item)]
        if not found:
            return None
        if len(found) > 1:
            ids = ", ".join(sorted(item["id"] for item in found))
            raise PermanentError(
                f"There are {len(found)} of {kind.subject(config)}: {ids}.",
                f"Say which one is meant by {kind.identifier}, or delete the others.",
            )
        return found[0] if kind.means else self._shown(found[0], config)

    def create(self, config: Mapping[str, Any]) -> Document:
        """Create the resource; answers it."""
        answer = self._call("create", config, **config)
        return dict(answer[self._kind.key])

    def update(self, found: Mapping[str, Any], config: Mapping[str, Any], changes: set[str]) -> Document:
        """Bring fields of a resource to what the config says; answers it."""
        kind = self._kind
        sent = changes | set(kind.always)
        change = kind.updated_value or (lambda value: value)
        arguments = {kind.updated_as.get(name, name): change(config[name]) for name in sent}
        answer = self._call("update", config, **self._keys_of(found, config), **arguments)
        return dict(answer[kind.key])

    def delete(self, config: Mapping[str, Any]) -> str | None:
        """Delete the resource; answers its id (its type, where it has none), or None if there was none."""
        found = self.find(config)
        if found is None:
            return None
        try:
            self._call("delete", config, **self._keys_of(found, config))
        except PermanentError as error:
            if error.data.get("code") != "ResourceNotFoundException":
                raise
            return None
        return str(found.get("id") or found.get("type"))

    def differences(self, found: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[set[str], set[str]]:
        """Arguments of the config that the resource does not show: those Update can change, and the others.

        What Get does not show (members, tags) cannot be compared, so it counts as equal.
        """
        kind, changeable, fixed = self._kind, set(), set()
        for name, wanted in config.items():
            if name in kind.identity or name == kind.identifier:
                continue
            shown = kind.shown_as.get(name, name)
            if name in kind.mutable and not _contains(found.get(shown), wanted):
                changeable.add(name)
            elif name not in kind.mutable and shown in found and not _contains(found[shown], wanted):
                fixed.add(name)
        return changeable, fixed

    def _keys(self, config: Mapping[str, Any]) -> Document | None:
        kind = self._kind
        if kind.identifier is None:
            return {name: config[name] for name in kind.identity}
        if kind.identifier in config:
            return {**self._parents(config), kind.identifier: config[kind.identifier]}
        return None

    def _keys_of(self, found: Mapping[str, Any], config: Mapping[str, Any]) -> Document:
        kind = self._kind
        if kind.identifier is None:
            return {name: config[name] for name in kind.identity}
        return {**self._parents(config), kind.identifier: found["id"]}

    def _parents(self, config: Mapping[str, Any]) -> Document:
        return {name: config[name] for name in self._kind.parents}

    def _shown(self, item: Mapping[str, Any], config: Mapping[str, Any]) -> Document | None:
        return self._get({**self._parents(config), str(self._kind.identifier): item["id"]}, config)

    def _listed(self, config: Mapping[str, Any]) -> Iterator[Document]:
        kind = self._kind
        assert kind.listing is not None
        operation, key = kind.listing
        wanted = {
            kind.shown_as.get(name, name): config[name] for name in kind.identity if name not in kind.parents
        }
        if kind.owner:
            wanted[kind.owner] = self._hook.account_id
        pages = self._client.get_paginator(operation).paginate(**self._parents(config), **kind.list_arguments)
        try:
            for page in pages:
                yield from (
                    item for item in page[key] if all(item.get(k) == value for k, value in wanted.items())
                )
        except ClientError as error:
            raise from_aws(error, _pascal(operation), kind.subject(config)) from error

    def _get(self, keys: Mapping[str, Any], config: Mapping[str, Any]) -> Document | None:
        try:
            return dict(self._call("get", config, **keys)[self._kind.key])
        except PermanentError as error:
            if error.data.get("code") != "ResourceNotFoundException":
                raise
            return None

    def _call(self, verb: str, config: Mapping[str, Any], **arguments: Any) -> Any:
        operation = f"{verb}_{self._kind.name}"
        try:
            return getattr(self._client, operation)(**arguments)
        except Exception as error:
            raise from_aws(error, _pascal(operation), self._kind.subject(config)) from error


def _pascal(operation: str) -> str:
    return re.sub(r"(?:^|_)(.)", lambda found: found[1].upper(), operation)


def _contains(found: Any, wanted: Any) -> bool:
    """Whether what the service shows says what is wanted; it may add defaults, and has its own order of lists."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_contains(found.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list | tuple):
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        return all(_contains(one, other) for one, other in zip(_sorted(found), _sorted(wanted), strict=True))
    return bool(found == wanted)


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True, default=str))
