"""The record of a published result: what was released, from which query, where it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Release:
    """One published result of one week; plain data, so that it travels through XCom and into the ledger.

    :param week: ISO week, ``2017-W46``
    :param outcome: value of :class:`~cleanrooms.results.collect.Outcome`
    :param protected_query_id: the service's id of the query that computed it
    :param sql_digest: see :func:`sql_digest`
    :param location: ``s3://`` address of the Parquet object
    :param content_digest: SHA-256 of that object, hexadecimal
    :param columns: published columns, name to Hive type
    :param guard: the guard's report on it
    """

    collaboration: str
    query: str
    week: str
    outcome: str
    rows: int
    protected_query_id: str
    sql_digest: str
    location: str
    content_digest: str
    database: str
    table: str
    columns: dict[str, str] = field(default_factory=dict)
    guard: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Release:
        return cls(**data)


def sql_digest(sql: str, parameters: Mapping[str, str] | None = None) -> str:
    """SHA-256 of a query's text and parameters, hexadecimal: tells whether two releases asked the same."""
    text = json.dumps([sql, sorted((parameters or {}).items())], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
