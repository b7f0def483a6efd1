"""One step on a small table, for tests that read as a table of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from cleanrooms.identity import IdentityColumn, SecretKey
from cleanrooms.recipes import Recipe
from cleanrooms.recipes.plan import Plan

CANARY = "canary-key-that-must-not-show"


def secret(name: str) -> SecretKey:
    return SecretKey(CANARY.encode(), f"version-of-{name}")


def step(operation: str, conditions: Sequence[Mapping[str, str]] = (), **parameters: str) -> dict[str, Any]:
    written: dict[str, Any] = {"Action": {"Operation": operation, "Parameters": parameters}}
    return written | ({"ConditionExpressions": list(conditions)} if conditions else {})


def compiled(steps: Sequence[Mapping[str, Any]], batch: pa.RecordBatch, **options: Any) -> Plan:
    return Recipe.parse(list(steps)).compile(batch.schema, secret, **options)


def table(columns: Mapping[str, Sequence[Any]], **types: pa.DataType) -> pa.RecordBatch:
    arrays = [pa.array(list(v), types.get(n, _type(v))) for n, v in columns.items()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def after(
    columns: Mapping[str, Sequence[Any]], *steps: Mapping[str, Any], **options: Any
) -> dict[str, list[Any]]:
    """The table's columns after the steps."""
    batch = table(columns)
    return compiled(steps, batch, **options).apply(batch).to_pydict()


def _type(values: Sequence[Any]) -> pa.DataType | None:
    return pa.string() if all(v is None for v in values) else None


__all__ = ["CANARY", "IdentityColumn", "after", "compiled", "secret", "step", "table"]
