"""The entries that a crawler writes into the Glue catalog for Parquet. Pure.

Source: AWS Glue, "Parameters set on Data Catalog tables by crawler"; the formats and the SerDe are Hive's
for Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.crawl_layout import TableFolder

_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquet"
_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def table_entry(
    name: str, folder: TableFolder, columns: Mapping[str, str], statistics: Mapping[str, str], crawler: str
) -> dict[str, Any]:
    """Returns the ``TableInput`` of one table."""
    parameters = _parameters(statistics, crawler)
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in folder.keys],
        "Parameters": parameters,
        "StorageDescriptor": _storage(folder.location, columns, parameters),
    }


def partition_entry(
    folder: TableFolder,
    values: Sequence[str],
    columns: Mapping[str, str],
    statistics: Mapping[str, str],
    crawler: str,
) -> dict[str, Any]:
    """Returns the ``PartitionInput`` of one partition."""
    parameters = _parameters(statistics, crawler)
    return {
        "Values": list(values),
        "Parameters": parameters,
        "StorageDescriptor": _storage(folder.partition_location(values), columns, parameters),
    }


def columns_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """Returns the columns of a table or partition: name -> type, in order."""
    storage = entry.get("StorageDescriptor", {})
    return {column["Name"]: column.get("Type", "") for column in storage.get("Columns", [])}


def _parameters(statistics: Mapping[str, str], crawler: str) -> dict[str, str]:
    return {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "classification": "parquet",
        "compressionType": "none",
        "typeOfData": "file",
        **statistics,
    }


def _storage(location: str, columns: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "Location": location,
        "InputFormat": f"{_FORMAT}InputFormat",
        "OutputFormat": f"{_FORMAT}OutputFormat",
        "SerdeInfo": {"SerializationLibrary": _SERDE, "Parameters": {"serialization.format": "1"}},
        "Compressed": False,
        "NumberOfBuckets": -1,
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
        "Parameters": dict(parameters),
    }
