"""ID mapping tables as queries see them: two columns of identifiers under a rule that nobody edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms.catalog import GlueTable, Storage
from sandbox.cleanrooms.id_namespaces import BUCKET
from sandbox.cleanrooms.room import Room
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable

KIND = "id_mapping_table"
RULE = "ID_MAPPING_TABLE"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


class MappedTable(AssociatedTable):
    """An ID mapping table in the place of an associated one; the service itself reads its files."""

    @classmethod
    def of(cls, room: Room, document: Document) -> MappedTable:
        """Returns the table of a stored document."""
        configured = {
            "id": document["id"],
            "arn": document["arn"],
            "_owner": document["_owner"],
            "allowedColumns": document["_columns"],
            "analysisMethod": "DIRECT_QUERY",
        }
        return cls(document, configured, _rule(room, document), None)

    @property
    def is_populated(self) -> bool:
        """Whether there are rows to query."""
        return self.association.get("_job") is not None

    def catalog(self) -> GlueTable:
        """Returns the table as a catalog would describe it."""
        return GlueTable(
            account=self.owner,
            region=self.region,
            database="",
            name=self.name,
            columns=dict.fromkeys(self.association["_columns"], "string"),
            partition_keys={},
            storage=Storage(location=self._location(), serde=_PARQUET, input_format=""),
        )

    def as_reference(self) -> Document:
        """Returns what the engine needs to read the table later; no catalog has it."""
        return {
            "name": self.name,
            "owner": self.owner,
            "region": self.region,
            # Written and read by the service, which needs no permission of the owner for it.
            "role": f"arn:aws:iam::{self.owner}:root",
            "location": self._location(),
            "columns": self.association["_columns"],
        }

    def _location(self) -> str:
        job = self.association.get("_job") or "none"
        bucket = BUCKET.format(account=self.owner)
        return f"s3://{bucket}/populated/{self.association['id']}/{job}/"


def engine_table(reference: Mapping[str, Any]) -> GlueTable | None:
    """Returns the table of a reference that a :class:`MappedTable` gave, ``None`` for others."""
    if "location" not in reference:
        return None
    return GlueTable(
        account=reference["owner"],
        region=reference["region"],
        database="",
        name=reference["name"],
        columns=dict.fromkeys(reference["columns"], "string"),
        partition_keys={},
        storage=Storage(location=reference["location"], serde=_PARQUET, input_format=""),
    )


def mapped_tables_in(room: Room, collaboration: str) -> list[MappedTable]:
    """Returns the ID mapping tables of all active members of a collaboration."""
    return [MappedTable.of(room, document) for document in room.store.of_members(KIND, collaboration)]


def _rule(room: Room, document: Document) -> Document:
    """The managed rule: identifiers are joined, and those that their namespace opens are dimensions."""
    columns = document["_columns"]
    sources = document["inputReferenceProperties"]["idMappingTableInputSource"]
    opened = [
        column
        for column, source in zip(columns, sources, strict=True)
        if _is_open(room, source["idNamespaceAssociationId"])
    ]
    rule = {
        "joinColumns": columns,
        "queryConstraints": [
            {"requireOverlap": {"columns": [column for column in columns if column not in opened]}}
        ],
        "dimensionColumns": opened,
    }
    return {
        "type": RULE,
        "policy": {"v1": {"idMappingTable": rule}},
        "createTime": document["createTime"],
        "updateTime": document["updateTime"],
    }


def _is_open(room: Room, namespace: str) -> bool:
    found = room.store.get("id_namespace_association", namespace)
    return bool(found and found["idMappingConfig"]["allowUseAsDimensionColumn"])
