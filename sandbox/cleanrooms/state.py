"""The service's memory: JSON documents by kind and id in SQLite.

With a folder the state survives the process, also ``kill -9``: every change is one transaction in
SQLite's write-ahead log. Without a folder it lives in memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of creation
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    owner  TEXT NOT NULL,                      -- account id
    parent TEXT NOT NULL DEFAULT '',           -- id of the resource it belongs to
    body   TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS document_by_parent ON document (kind, parent);
CREATE INDEX IF NOT EXISTS document_by_owner ON document (kind, owner);
CREATE INDEX IF NOT EXISTS document_by_status ON document (kind, json_extract(body, '$.status'), owner);
"""


@dataclass(frozen=True)
class Change:
    """What happened to one document: ``before`` is missing for a new one, ``after`` for a deleted one."""

    kind: str
    owner: str
    before: Document | None
    after: Document | None


class Store:
    """Documents of one service; safe to use from several threads."""

    def __init__(self, path: Path | None) -> None:
        """:param path: of the database file, or ``None`` for memory"""
        self._lock = threading.RLock()
        self._open = False
        self._changes: list[Change] = []
        self._observed: frozenset[str] = frozenset()
        self._observer: Callable[[Change], None] = lambda change: None
        self._connection = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def observe(self, kinds: Collection[str], observer: Callable[[Change], None]) -> None:
        """Tells ``observer`` every change of documents of these kinds, after it was committed."""
        self._observed, self._observer = frozenset(kinds), observer

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Makes what happens inside one change: all of it or, after an exception, none of it."""
        with self._lock:
            if self._open:
                yield
                return
            self._open = True
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._changes.clear()
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._open = False
            changes, self._changes = self._changes, []
        for change in changes:
            self._observer(change)

    def add(self, kind: str, body: Document, *, owner: str, parent: str = "") -> Document:
        """Stores a new document under ``body["id"]`` and returns it."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO document (kind, id, owner, parent, body) VALUES (?, ?, ?, ?, ?)",
                (kind, body["id"], owner, parent, json.dumps(body)),
            )
            self._note(kind, owner, None, body)
        return body

    def save(self, kind: str, body: Document) -> Document:
        """Replaces the document of that id; nothing happens if there is none."""
        stored = {key: value for key, value in body.items() if key not in ("_seq", "_owner")}
        with self._lock:
            before = self.get(kind, body["id"]) if kind in self._observed else None
            self._connection.execute(
                "UPDATE document SET body = ? WHERE kind = ? AND id = ?",
                (json.dumps(stored), kind, body["id"]),
            )
            if before is not None:
                self._note(kind, before["_owner"], before, stored)
        return body

    def get(self, kind: str, identifier: str) -> Document | None:
        """Returns one document, with ``_seq`` and ``_owner`` added, or ``None``."""
        found = self._read("kind = ? AND id = ?", (kind, identifier))
        return found[0] if found else None

    def find(
        self,
        kind: str,
        *,
        owner: str | None = None,
        parent: str | None = None,
        status: Collection[str] = (),
    ) -> list[Document]:
        """Returns documents in the order of their creation, with ``_seq`` and ``_owner`` added.

        :param status: values of the member of that name; empty for all
        """
        return self._read(*_where(kind, owner, parent, status))

    def count(self, kind: str, *, owner: str, parent: str, status: Collection[str]) -> int:
        """Returns how many documents :meth:`find` would return."""
        where, values = _where(kind, owner, parent, status)
        with self._lock:
            found = self._connection.execute(
                f"SELECT count(*) FROM document WHERE {where}", values
            ).fetchone()
        return int(found[0])

    def page(
        self,
        kind: str,
        *,
        size: int,
        after: int | None = None,
        newest_first: bool = False,
        owner: str | None = None,
        parent: str | None = None,
        condition: str = "TRUE",
        values: tuple[Any, ...] = (),
    ) -> list[Document]:
        """Returns as many documents as ``size`` says that come after the one with ``_seq`` ``after``.

        :param condition: further SQL over ``body``, with ``values`` for its parameters
        """
        where, known = _where(kind, owner, parent)
        chosen: tuple[Any, ...] = (*known, *values)
        where = f"{where} AND ({condition})"
        if after is not None:
            where, chosen = f"{where} AND seq {'<' if newest_first else '>'} ?", (*chosen, after)
        return self._read(where, chosen, f"seq {'DESC' if newest_first else 'ASC'} LIMIT {int(size)}")

    def of_members(self, kind: str, collaboration: str) -> list[Document]:
        """Returns what the active members of a collaboration brought into it, in the order of creation."""
        # The plus sign keeps SQLite from the index on statuses: nearly all memberships are active.
        active = (
            "SELECT id FROM document WHERE kind = 'membership' AND parent = ?"
            " AND +json_extract(body, '$.status') = 'ACTIVE'"
        )
        return self._read(f"kind = ? AND parent IN ({active})", (kind, collaboration))

    def remove(self, kind: str, identifier: str) -> None:
        """Deletes a document, if it is there."""
        with self._lock:
            before = self.get(kind, identifier) if kind in self._observed else None
            self._connection.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, identifier))
            if before is not None:
                self._note(kind, before["_owner"], before, None)

    def close(self) -> None:
        """Ends the use of the store."""
        with self._lock:
            self._connection.close()

    def _note(self, kind: str, owner: str, before: Document | None, after: Document | None) -> None:
        if kind not in self._observed:
            return
        change = Change(kind, owner, before, after)
        if self._open:
            self._changes.append(change)
        else:
            self._observer(change)

    def _read(self, where: str, values: tuple[Any, ...], order: str = "seq") -> list[Document]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT seq, owner, body FROM document WHERE {where} ORDER BY {order}", values
            ).fetchall()
        return [{**json.loads(body), "_seq": seq, "_owner": owner} for seq, owner, body in rows]


def _where(
    kind: str, owner: str | None, parent: str | None, status: Collection[str] = ()
) -> tuple[str, tuple[str, ...]]:
    named = {"kind": kind, "owner": owner, "parent": parent}
    given = {name: value for name, value in named.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in given)
    if status:
        where += f" AND json_extract(body, '$.status') IN ({', '.join('?' * len(status))})"
    return where, (*given.values(), *status)
