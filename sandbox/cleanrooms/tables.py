"""One associated table with everything that bears on it: configured table, rules, catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cleanrooms.rules import Table
from sandbox.cleanrooms import names
from sandbox.cleanrooms.catalog import GlueTable, Storage, read_table
from sandbox.cleanrooms.state import Document, Store


@dataclass(frozen=True)
class AssociatedTable:
    """An association and the documents behind it."""

    association: Document
    configured: Document
    rule: Document | None
    association_rule: Document | None

    @classmethod
    def load(cls, store: Store, association: Document) -> AssociatedTable | None:
        """Returns the table of an association; ``None`` when its configured table was deleted."""
        configured = store.get("configured_table", association["configuredTableId"])
        if configured is None:
            return None
        return cls(
            association,
            configured,
            store.get("table_rule", configured["id"]),
            store.get("association_rule", association["id"]),
        )

    @property
    def name(self) -> str:
        """The table's name in queries."""
        return str(self.association["name"])

    @property
    def owner(self) -> str:
        """The owner's account."""
        return str(self.configured["_owner"])

    @property
    def region(self) -> str:
        """The region that the table was configured in."""
        return names.region_of(self.configured["arn"])

    @property
    def association_policy(self) -> Mapping[str, Any] | None:
        """What the collaboration rule says, ``None`` without one."""
        if self.association_rule is None:
            return None
        ((_, policy),) = self.association_rule["policy"]["v1"].items()
        return dict(policy)

    @property
    def shown_policy(self) -> Mapping[str, Any]:
        """The policy of the table's rule."""
        assert self.rule is not None
        return dict(self.rule["policy"])

    @property
    def budget_arns(self) -> tuple[str, ...]:
        """ARNs of the tables whose access budgets a use of this one counts for."""
        return (self.association["arn"],)

    def catalog(self) -> GlueTable:
        """Returns the Glue table; when the catalog lost it, what it was when it was configured."""
        reference = self.configured["tableReference"]["glue"]
        return read_table(self.owner, self.region, reference) or GlueTable(
            account=self.owner,
            region=self.region,
            database=reference["databaseName"],
            name=reference["tableName"],
            columns=self.configured["_columns"],
            partition_keys=self.configured["_partitionKeys"],
            storage=Storage(location="", serde="", input_format=""),
        )

    def as_rule_table(self, catalog: GlueTable) -> Table:
        """Returns the table as the verdict sees it; partition keys count as columns when they are allowed."""
        allowed = {column.lower() for column in self.configured["allowedColumns"]}
        everything = catalog.all_columns
        return Table(
            name=self.name,
            owner=self.owner,
            columns={name: kind for name, kind in everything.items() if name in allowed},
            rule_type=self.rule["type"] if self.rule else None,
            policy=self.rule["policy"] if self.rule else None,
            association_rule=self.association_policy,
            analysis_method=self.configured["analysisMethod"],
            hidden_columns=frozenset(everything) - allowed,
        )

    def as_reference(self) -> Document:
        """Returns what the engine needs to read the table later."""
        return {
            "name": self.name,
            "owner": self.owner,
            "region": self.region,
            "role": self.association["roleArn"],
            "glue": self.configured["tableReference"]["glue"],
            "columns": [column.lower() for column in self.configured["allowedColumns"]],
        }
