"""The service's memory: JSON documents by kind and id in SQLite.

With a folder the state survives the process, also ``kill -9``: every change is one transaction in
SQLite's write-ahead log. Without a folder it lives in memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
"""


class Store:
    """Documents of one service; safe to use from several threads."""

    def __init__(self, path: Path | None) -> None:
        """:param path: of the database file, or ``None`` for memory"""
        self._lock = threading.RLock()
        self._open = False
        self._connection = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

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
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._open = False

    def add(self, kind: str, body: Document, *, owner: str, parent: str = "") -> Document:
        """Stores a new document under ``body["id"]`` and returns it."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO document (kind, id, owner, parent, body) VALUES (?, ?, ?, ?, ?)",
                (kind, body["id"], owner, parent, json.dumps(body)),
            )
        return body

    def save(self, kind: str, body: Document) -> Document:
        """Replaces the document of that id; nothing happens if there is none."""
        stored = {key: value for key, value in body.items() if key not in ("_seq", "_owner")}
        with self._lock:
            self._connection.execute(
                "UPDATE document SET body = ? WHERE kind = ? AND id = ?",
                (json.dumps(stored), kind, body["id"]),
            )
        return body

    def get(self, kind: str, identifier: str) -> Document | None:
        """Returns one document, with ``_seq`` and ``_owner`` added, or ``None``."""
        found = self._read("kind = ? AND id = ?", (kind, identifier))
        return found[0] if found else None

    def find(self, kind: str, *, owner: str | None = None, parent: str | None = None) -> list[Document]:
        """Returns documents in the order of their creation, with ``_seq`` and ``_owner`` added."""
        where, values = "kind = ?", [kind]
        if owner is not None:
            where, values = f"{where} AND owner = ?", [*values, owner]
        if parent is not None:
            where, values = f"{where} AND parent = ?", [*values, parent]
        return self._read(where, tuple(values))

    def remove(self, kind: str, identifier: str) -> None:
        """Deletes a document, if it is there."""
        with self._lock:
            self._connection.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, identifier))

    def close(self) -> None:
        """Ends the use of the store."""
        with self._lock:
            self._connection.close()

    def _read(self, where: str, values: tuple[str, ...]) -> list[Document]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT seq, owner, body FROM document WHERE {where} ORDER BY seq", values
            ).fetchall()
        return [{**json.loads(body), "_seq": seq, "_owner": owner} for seq, owner, body in rows]
