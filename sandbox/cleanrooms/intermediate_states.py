"""What an intermediate table is good for at this moment: its versions, its status, its base tables.

A version's status is the status of the query that makes it, so that a version and its rows become usable
in one step. A table's status follows from its versions, from the clock and from its base tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.cleanrooms import names
from sandbox.cleanrooms.engine.managed import ManagedStorage
from sandbox.cleanrooms.engine.runner import UNFINISHED
from sandbox.cleanrooms.state import Document, Store

KIND, VERSION, RULE = "intermediate_table", "intermediate_table_version", "intermediate_table_rule"
CREATED, STARTED, SUCCESS, FAILED = "CREATED", "POPULATE_STARTED", "POPULATE_SUCCESS", "POPULATE_FAILED"
EXPIRED = "RETENTION_PERIOD_EXPIRED"
DISALLOWED, REMOVED = "DISALLOWED_BY_DATA_PROVIDER", "BASE_TABLE_REMOVED"
DEFAULT_RETENTION_DAYS = 30
_DAY = 24 * 3600
_REASONS = {
    DISALLOWED: "A data provider has disallowed the table.",
    REMOVED: "A base table was removed from the collaboration. Delete the table and create another one.",
    EXPIRED: "The retention period is over. Populate the table again.",
    FAILED: "The query that populated the table did not succeed: see GetProtectedQuery of its newest version.",
}


@dataclass(frozen=True)
class State:
    """``active``: the version that queries read, with ``_columns`` (name to Hive type); may be missing."""

    status: str
    active: Document | None

    @property
    def reason(self) -> str | None:
        """``statusReason``."""
        return _REASONS.get(self.status)


def expiration(created: float, days: int) -> float:
    """Returns when a version made at ``created`` (epoch seconds) expires."""
    return created + days * _DAY


def versions_of(store: Store, table: Document) -> list[Document]:
    """Returns the versions of a table, the oldest first, each with its ``status`` and ``_columns``."""
    found = []
    for version in store.find(VERSION, parent=table["id"]):
        query = store.get("protected_query", version["analysisId"]) or {}
        found.append(version | {"status": _status(version, query), "_columns": query.get("_columns")})
    return found


def state_of(store: Store, table: Document) -> State:
    """Returns the state of a table."""
    if closed := table.get("_closed") or (REMOVED if _lost_base(store, table) else None):
        return State(closed, None)
    versions = versions_of(store, table)
    usable = [version for version in versions if version["status"] == SUCCESS]
    if usable:
        return State(SUCCESS, usable[-1])
    if not versions:
        return State(CREATED, None)
    # A refresh that fails does not undo that the data before it were there, and have expired.
    newest = versions[-1]["status"]
    had_data = any(version["status"] == EXPIRED for version in versions)
    return State(EXPIRED if newest == FAILED and had_data else newest, None)


def settle(store: Store, managed: ManagedStorage, collaboration: str) -> None:
    """Writes down what became of a collaboration's tables, and deletes the rows that nobody may use."""
    with store.transaction():
        dead = []
        for table in tables_in(store, collaboration):
            state = state_of(store, table)
            is_closed = state.status in (REMOVED, DISALLOWED)
            if is_closed and table.get("_closed") is None:
                store.save(KIND, table | {"_closed": state.status, "updateTime": names.now()})
            live = {state.active["id"]} if state.active else set()
            # A query that was accepted may go on with the version that it was accepted on.
            live |= set() if is_closed else _read_by_queries(store, collaboration)
            dead += [
                version["id"]
                for version in versions_of(store, table)
                if version["id"] not in live and version["status"] != STARTED
            ]
    for version in dead:
        managed.drop(version)


def _read_by_queries(store: Store, collaboration: str) -> set[str]:
    return {
        reference["managed"]
        for query in store.find("protected_query", parent=collaboration, status=UNFINISHED)
        for reference in query["_plan"]["tables"]
        if "managed" in reference
    }


def tables_in(store: Store, collaboration: str) -> list[Document]:
    """Returns the intermediate tables of a collaboration, whoever owns them."""
    return [
        table
        for membership in store.find("membership", parent=collaboration)
        for table in store.find(KIND, parent=membership["id"])
    ]


def children_of(store: Store, table: Document) -> list[Document]:
    """Returns the tables whose query reads ``table``."""
    return [one for one in tables_in(store, table["collaborationId"]) if table["id"] in _direct_bases(one)]


def descendants_of(store: Store, table: Document) -> list[Document]:
    """Returns the tables that hold data of ``table``, directly or through others."""
    return [
        one
        for one in tables_in(store, table["collaborationId"])
        if any(base["id"] == table["id"] for base in one["tableDependencies"])
    ]


def _direct_bases(table: Document) -> set[str]:
    return {base["id"] for base in table["tableDependencies"] if base["parentType"] == "DIRECT"}


def _status(version: Document, query: Document) -> str:
    status = query.get("status")
    if status in UNFINISHED:
        return STARTED
    if status != "SUCCESS":
        return FAILED
    return EXPIRED if names.now() >= version["expirationTime"] else SUCCESS


def _lost_base(store: Store, table: Document) -> bool:
    return not all(_is_there(store, base["type"], base["id"]) for base in table["tableDependencies"])


def _is_there(store: Store, kind: str, identifier: str) -> bool:
    if kind == "TABLE":
        found = store.get("configured_table_association", identifier)
        if found is None or store.get("configured_table", found["configuredTableId"]) is None:
            return False
    else:
        found = store.get(KIND if kind == "INTERMEDIATE_TABLE" else "id_mapping_table", identifier)
        if found is None:
            return False
    membership = store.get("membership", found["membershipId"])
    return membership is not None and membership["status"] == "ACTIVE"
