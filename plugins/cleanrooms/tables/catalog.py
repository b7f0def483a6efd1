"""The Glue catalog: what to crawl, whether the crawl did its work, and tables that need no crawler.

A crawler may end well and leave a table that nobody can read, so what it made is always checked.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from cleanrooms.errors import CatalogError
from cleanrooms.tables.publish import partition_prefix

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient

    from cleanrooms.config.source import Source, Target

_STORAGE = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


def crawler_definition(source: Source) -> dict[str, Any]:
    """Arguments of glue.create_crawler and glue.update_crawler for a source's table.

    New columns are added and none is ever removed (MergeNewColumns); partitions take the table's schema
    (InheritFromTable), so that a day whose column is all null cannot differ from the table. Source of the
    settings: AWS Glue guide, "Setting crawler configuration options".
    """
    return {
        "Name": source.target.crawler,
        "Role": source.target.crawler_role,
        "DatabaseName": source.target.database,
        "Description": f"Table {source.target.table}: {source.description}",
        "Targets": {"S3Targets": [{"Path": source.target.location}]},
        "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "Configuration": json.dumps(
            {
                "Version": 1.0,
                "CrawlerOutput": {
                    "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
                    "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
                },
            },
            separators=(",", ":"),
        ),
    }


def ensure_crawler(glue: GlueClient, source: Source) -> str:
    """Create the source's crawler, or update it where it differs; returns its name.

    A crawler that is as it should be is not touched, because Glue refuses to update one that runs.
    """
    definition = crawler_definition(source)
    ensure_database(glue, source.target.database)
    try:
        current = glue.get_crawler(Name=definition["Name"])["Crawler"]
    except glue.exceptions.EntityNotFoundException:
        glue.create_crawler(**definition)
    else:
        if _essence(current) != _essence(definition):
            glue.update_crawler(**definition)
    return source.target.crawler


def _essence(crawler: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of a crawler, free of the forms in which Glue gives it back."""
    return {
        "role": crawler["Role"].rsplit("/", 1)[-1],
        "database": crawler.get("DatabaseName"),
        "paths": [target["Path"] for target in crawler["Targets"].get("S3Targets", [])],
        "policy": crawler.get("SchemaChangePolicy"),
        "recrawl": crawler.get("RecrawlPolicy"),
        "configuration": json.loads(crawler.get("Configuration") or "{}"),
        "description": crawler.get("Description"),
    }


def verify(glue: GlueClient, target: Target, columns: Mapping[str, str], day: date) -> None:
    """Check that the catalog shows the published day: the columns, their types, the partition, its place.

    :param columns: names and Hive types as published (``PrepareReport.columns``)
    :raises CatalogError: lists everything that is not as it should be
    """
    name = f"{target.database}.{target.table}"
    try:
        table = glue.get_table(DatabaseName=target.database, Name=target.table)["Table"]
    except glue.exceptions.EntityNotFoundException:
        raise CatalogError(
            f"Table {name} is not in the Glue catalog.",
            f"Look at the last run of crawler {target.crawler} and the permissions of its role.",
            table=name,
        ) from None
    problems = [*_table_problems(table, columns), *_partition_problems(glue, target, columns, day)]
    if problems:
        raise CatalogError(
            f"Table {name} does not show what was published for {day}: {'; '.join(problems)}.",
            f"Look at the last run of crawler {target.crawler}; a column of another type needs the table to "
            "be corrected or dropped before the next crawl.",
            table=name,
            problems=problems,
        )


def _table_problems(table: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    storage = table.get("StorageDescriptor", {})
    problems = _column_problems(storage, columns, "")
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    if keys != ["dt"]:
        problems.append(f"its partition keys are {keys or 'none'} and not dt")
    if "parquet" not in storage.get("InputFormat", "").lower():
        problems.append("it is not declared as Parquet")
    return problems


def _partition_problems(glue: GlueClient, target: Target, columns: Mapping[str, str], day: date) -> list[str]:
    try:
        partition = glue.get_partition(
            DatabaseName=target.database, TableName=target.table, PartitionValues=[day.isoformat()]
        )["Partition"]
    except glue.exceptions.EntityNotFoundException:
        return [f"partition dt={day} is missing"]
    storage: Mapping[str, Any] = partition.get("StorageDescriptor", {})
    wanted = f"s3://{target.bucket}/{partition_prefix(target.prefix, {'dt': day.isoformat()})}"
    problems = _column_problems(storage, columns, f" in partition dt={day}")
    if str(storage.get("Location", "")).rstrip("/") != wanted.rstrip("/"):
        problems.append(f"partition dt={day} points to {storage.get('Location')!r} and not to {wanted!r}")
    return problems


def _column_problems(storage: Mapping[str, Any], columns: Mapping[str, str], where: str) -> list[str]:
    shown = {column["Name"]: column.get("Type", "") for column in storage.get("Columns", [])}
    problems = []
    for name, kind in columns.items():
        if name not in shown:
            problems.append(f"column {name} is missing{where}")
        elif shown[name].lower() != kind.lower():
            problems.append(f"column {name} is {shown[name]}{where} and was published as {kind}")
    return problems


def ensure_database(glue: GlueClient, database: str) -> None:
    """Create the Glue database unless it is there."""
    with contextlib.suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": database})


def create_or_update_table(
    glue: GlueClient,
    database: str,
    table: str,
    columns: Mapping[str, str],
    partition_keys: Mapping[str, str],
    location: str,
    *,
    description: str = "",
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Register a Parquet table without a crawler, or bring its definition up to date.

    :param columns: names and Hive types, without the partition keys
    :param partition_keys: names and Hive types, outermost first
    :param location: ``s3://bucket/prefix/`` of the table
    """
    ensure_database(glue, database)
    definition: Any = {
        "Name": table,
        "Description": description,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet", **(parameters or {})},
        "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in partition_keys.items()],
        "StorageDescriptor": _descriptor(columns, location),
    }
    try:
        glue.create_table(DatabaseName=database, TableInput=definition)
    except glue.exceptions.AlreadyExistsException:
        glue.update_table(DatabaseName=database, TableInput=definition)


def upsert_partition(
    glue: GlueClient,
    database: str,
    table: str,
    values: Mapping[str, str],
    columns: Mapping[str, str],
    location: str,
) -> None:
    """Register a partition of a table, or bring its definition up to date.

    :param values: partition keys and their values, outermost first
    :param location: ``s3://bucket/prefix/`` of the table; the partition lies below it in Hive's layout
    :raises CatalogError: Glue refused the update
    """
    names = list(values.values())
    place = location.rstrip("/") + "/" + partition_prefix("", values)
    definition: Any = {"Values": names, "StorageDescriptor": _descriptor(columns, place)}
    try:
        glue.create_partition(DatabaseName=database, TableName=table, PartitionInput=definition)
        return
    except glue.exceptions.AlreadyExistsException:
        answer = glue.batch_update_partition(
            DatabaseName=database,
            TableName=table,
            Entries=[{"PartitionValueList": names, "PartitionInput": definition}],
        )
    if refused := answer.get("Errors"):
        code = refused[0].get("ErrorDetail", {}).get("ErrorCode", "unknown")
        raise CatalogError(
            f"Partition {', '.join(names)} of table {database}.{table} could not be updated: {code}.",
            "Check the role's permission glue:BatchUpdatePartition, then clear the task.",
        )


def _descriptor(columns: Mapping[str, str], location: str) -> dict[str, Any]:
    listed = [{"Name": name, "Type": kind} for name, kind in columns.items()]
    return {"Columns": listed, "Location": location, **_STORAGE}
