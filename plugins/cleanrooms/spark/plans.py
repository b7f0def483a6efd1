"""A recipe on its way to the processes that run it: as text and names, compiled where it runs.

A compiled plan holds keys and cannot be pickled. What travels says how to compile it; each process does so once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa

from cleanrooms.identity import IdentityColumn, SecretKey
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.plan import Plan


class PlanSource(Protocol):
    """Something that can be pickled and gives a plan for a whole table."""

    @property
    def key(self) -> str:
        """Text that is equal where the plans are."""

    def compile(self) -> Plan:
        """:raises RecipeError: see :meth:`cleanrooms.recipes.Recipe.compile`"""


_compiled: dict[str, Plan] = {}
_MOST = 64


def plan_of(source: PlanSource) -> Plan:
    """The plan, compiled once per process."""
    if source.key not in _compiled:
        if len(_compiled) >= _MOST:
            _compiled.clear()
        _compiled[source.key] = source.compile()
    return _compiled[source.key]


@dataclass(frozen=True)
class RecipeSource:
    """A recipe on columns of a schema.

    :param steps: as :meth:`Recipe.dump` gives them
    :param secrets: gives the keys where it is called; it holds names only, as it travels
    :param table: the table itself where columns follow from its values; it travels, too, so it is a small one
    """

    steps: list[dict[str, Any]]
    schema: pa.Schema
    secrets: Callable[[str], SecretKey]
    hash_encoding: str = "base64"
    identity: tuple[IdentityColumn, ...] = ()
    tolerant: bool = False
    table: pa.RecordBatch | None = field(default=None, repr=False)  # its rows belong into no message

    @cached_property
    def key(self) -> str:
        schema = self.schema.to_string(truncate_metadata=False)
        rows = None if self.table is None else self.table.to_pylist()
        return repr(
            (self.steps, schema, self.secrets, self.hash_encoding, self.identity, self.tolerant, rows)
        )

    def compile(self) -> Plan:
        return Recipe.parse(self.steps).compile(
            self.schema,
            self.secrets,
            hash_encoding=self.hash_encoding,
            identity=self.identity,
            tolerant=self.tolerant,
            whole_table=True if self.table is None else self.table,
        )
