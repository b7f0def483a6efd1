"""The ``Expression`` of Glue's GetPartitions: SQL over the partition keys.

Source: AWS Glue API, GetPartitions, "Expression".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "long", "decimal")


class InvalidExpression(Exception):
    """The expression is no condition over the partition keys."""


def matching(
    keys: Sequence[Mapping[str, str]], partitions: Sequence[Mapping[str, Any]], expression: str
) -> list[Mapping[str, Any]]:
    """Returns the partitions that meet ``expression``.

    :param keys: the table's ``PartitionKeys``; numeric ones compare as numbers, others as text
    :raises InvalidExpression: cannot be read, or names something else than a key
    """
    if not keys:
        raise InvalidExpression("The table has no partition keys")
    names = [f'"{key["Name"]}"' for key in keys]
    columns = ", ".join(f"{name} {_affinity(key)}" for name, key in zip(names, keys, strict=True))
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE held ({columns})")
        rows = [partition["Values"] for partition in partitions]
        database.executemany(f"INSERT INTO held VALUES ({', '.join('?' * len(names))})", rows)
        try:
            found = database.execute(f"SELECT rowid FROM held WHERE ({expression}) ORDER BY rowid").fetchall()
        except sqlite3.Error as problem:
            raise InvalidExpression(f"Unsupported expression: {problem}") from problem
    return [partitions[rowid - 1] for (rowid,) in found]


def _affinity(key: Mapping[str, str]) -> str:
    return "NUMERIC" if key.get("Type", "string").split("(")[0] in _NUMBERS else "TEXT"
