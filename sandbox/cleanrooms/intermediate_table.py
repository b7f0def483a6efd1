"""An intermediate table as queries see it: cached rows under a custom rule and what they inherited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cleanrooms.rules import Table
from cleanrooms.rules.inheritance import effective, loosened
from sandbox.cleanrooms.catalog import GlueTable, Storage
from sandbox.cleanrooms.intermediate_states import (
    DISALLOWED,
    EXPIRED,
    KIND,
    REMOVED,
    RULE,
    SUCCESS,
    State,
    state_of,
)
from sandbox.cleanrooms.state import Document, Store
from sandbox.cleanrooms.tables import AssociatedTable

TYPE = "INTERMEDIATE_TABLE"
CUSTOM = "CUSTOM"
_NOT_READY = {
    DISALLOWED: "INTERMEDIATE_TABLE_DISALLOWED_BY_DATA_PROVIDER",
    REMOVED: "INTERMEDIATE_TABLE_BASE_TABLE_REMOVED",
    EXPIRED: "INTERMEDIATE_TABLE_RETENTION_PERIOD_EXPIRED",
}


@dataclass(frozen=True)
class IntermediateTable(AssociatedTable):
    """An intermediate table in the place of an associated one; its rows are the service's own.

    ``rule`` is what is enforced; ``own_rule`` is what its owner wrote.
    """

    state: State
    own_rule: Document | None

    @classmethod
    def of(cls, store: Store, document: Document) -> IntermediateTable:
        """Returns the table of a stored document."""
        state, own = state_of(store, document), store.get(RULE, document["id"])
        configured = {
            "id": document["id"],
            "arn": document["arn"],
            "_owner": document["_owner"],
            "allowedColumns": list(columns_of(document, state)),
            "analysisMethod": "DIRECT_QUERY",
        }
        rule = enforced = None
        if own is not None:
            enforced = effective(own["analysisRulePolicy"]["v1"]["custom"], binding(document, state))
            rule = {
                "type": CUSTOM,
                "policy": {"v1": {"custom": enforced}},
                "createTime": own["createTime"],
                "updateTime": own["updateTime"],
            }
        collaboration_rule = enforced and {"type": CUSTOM, "policy": {"v1": {"custom": enforced}}}
        return cls(document, configured, rule, collaboration_rule, state, own)

    @property
    def not_ready(self) -> str | None:
        """The reason code why no query may read the table now."""
        if self.state.status != SUCCESS or self.state.active is None:
            return _NOT_READY.get(self.state.status, "INTERMEDIATE_TABLE_NOT_POPULATED")
        if self.own_rule is None:
            return "INTERMEDIATE_TABLE_ANALYSIS_RULE_MISSING"
        policy = self.own_rule["analysisRulePolicy"]["v1"]["custom"]
        inherited = binding(self.association, self.state)
        if inherited and loosened(policy, inherited, self.configured["allowedColumns"]):
            return "INTERMEDIATE_TABLE_INHERITED_CONSTRAINTS_VIOLATED"
        return None

    @property
    def shown_policy(self) -> Mapping[str, Any]:
        """The policy as its owner wrote it."""
        assert self.own_rule is not None
        return dict(self.own_rule["analysisRulePolicy"])

    @property
    def budget_arns(self) -> tuple[str, ...]:
        """Its own ARN and those of all tables whose data it holds: each use counts for all of them."""
        return (self.association["arn"], *self.association["_bases"])

    def catalog(self) -> GlueTable:
        """Returns the table as a catalog would describe it."""
        return GlueTable(
            account=self.owner,
            region=self.region,
            database="",
            name=self.name,
            columns=columns_of(self.association, self.state),
            partition_keys={},
            storage=Storage(location="", serde="", input_format=""),
        )

    def as_rule_table(self, catalog: GlueTable) -> Table:
        """Returns the table as the verdict sees it."""
        policy = self.association_policy or {}
        return Table(
            name=self.name,
            owner=self.owner,
            columns=catalog.columns,
            rule_type=CUSTOM if self.rule else None,
            policy=self.rule["policy"] if self.rule else None,
            association_rule={
                name: policy.get(name) or []
                for name in ("allowedResultReceivers", "allowedAdditionalAnalyses")
            },
        )

    def as_reference(self) -> Document:
        """Returns what the engine needs to read the table later; no catalog has it."""
        assert self.state.active is not None
        return {
            "name": self.name,
            "owner": self.owner,
            "region": self.region,
            "managed": self.state.active["id"],
            "types": columns_of(self.association, self.state),
        }


def columns_of(document: Document, state: State) -> dict[str, str]:
    """Returns the columns with their Hive types; none before there are rows."""
    found: dict[str, str] = (state.active or {}).get("_columns") or {}
    changed = document.get("_types") or {}
    return {name: changed.get(name, kind) for name, kind in found.items()}


def binding(document: Document, state: State) -> Mapping[str, Any]:
    """Returns the inherited constraints that bind the owner: none where all base tables are its own."""
    if all(base["creatorAccountId"] == document["_owner"] for base in document["tableDependencies"]):
        return {}
    return dict((state.active or {}).get("inheritedConstraints") or {})


def intermediate_tables_in(store: Store, collaboration: str) -> list[IntermediateTable]:
    """Returns the intermediate tables of all active members of a collaboration."""
    return [IntermediateTable.of(store, document) for document in store.of_members(KIND, collaboration)]
