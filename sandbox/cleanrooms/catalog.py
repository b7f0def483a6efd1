"""Tables of an account's Glue catalog, read with the account's root key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import inside
from sandbox.clients import root_client


@dataclass(frozen=True)
class Storage:
    """Where and how files of a table or of one partition are written, from a Glue storage descriptor."""

    location: str  # s3://bucket/prefix
    serde: str
    input_format: str
    serde_parameters: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        """The bucket of the location."""
        return self.location.split("://", 1)[-1].split("/", 1)[0]

    @property
    def prefix(self) -> str:
        """The key prefix of the location, ending in a slash; empty for a whole bucket."""
        tail = self.location.split("://", 1)[-1].partition("/")[2].strip("/")
        return f"{tail}/" if tail else ""


@dataclass(frozen=True)
class Partition:
    """One partition of a table: its key values as the catalog holds them, and its files' place."""

    values: tuple[str, ...]
    storage: Storage


@dataclass(frozen=True)
class GlueTable:
    """A table as the catalog describes it; types are Hive's."""

    account: str
    region: str
    database: str
    name: str
    columns: Mapping[str, str]  # in the order of the catalog, which is the order in CSV files
    partition_keys: Mapping[str, str]
    storage: Storage

    @property
    def arn(self) -> str:
        """The ARN that IAM policies name."""
        return f"arn:aws:glue:{self.region}:{self.account}:table/{self.database}/{self.name}"

    @property
    def all_columns(self) -> dict[str, str]:
        """Columns and partition keys."""
        return {**self.columns, **self.partition_keys}


def read_table(account: str, region: str, reference: Mapping[str, Any]) -> GlueTable | None:
    """Returns the Glue table that a configured table names, ``None`` if the catalog lacks it.

    :param reference: ``tableReference.glue`` of the configured table
    """
    region = reference.get("region") or region
    database, name = reference["databaseName"], reference["tableName"]
    table = inside.services().glue_table(account, region, database, name)
    if table is None:
        return None
    descriptor = table.get("StorageDescriptor", {})
    return GlueTable(
        account=account,
        region=region,
        database=database,
        name=name,
        columns=_types(descriptor.get("Columns", [])),
        partition_keys=_types(table.get("PartitionKeys", [])),
        storage=_storage(descriptor, table.get("Parameters", {})),
    )


def read_partitions(table: GlueTable) -> list[Partition]:
    """Returns all partitions of a table, in the order of their values."""
    pages = root_client("glue", table.account, table.region).get_paginator("get_partitions")
    found = [
        Partition(
            tuple(partition["Values"]),
            _storage(partition.get("StorageDescriptor", {}), table.storage.parameters),
        )
        for answer in pages.paginate(DatabaseName=table.database, TableName=table.name)
        for partition in answer["Partitions"]
    ]
    return sorted(found, key=lambda partition: partition.values)


def _types(columns: list[dict[str, Any]]) -> dict[str, str]:
    return {column["Name"].lower(): column.get("Type", "string").lower() for column in columns}


def _storage(descriptor: Mapping[str, Any], parameters: Mapping[str, str]) -> Storage:
    serde = descriptor.get("SerdeInfo", {})
    return Storage(
        location=descriptor.get("Location", ""),
        serde=serde.get("SerializationLibrary", ""),
        input_format=descriptor.get("InputFormat", ""),
        serde_parameters=serde.get("Parameters", {}),
        parameters={**parameters, **descriptor.get("Parameters", {})},
    )
