"""One run of a Glue crawler: what S3 holds, brought into the catalog by the crawler's policies.

Source of the behaviours: AWS Glue developer guide, "Setting crawler configuration options", "Customizing
crawler behavior", "Parameters set on Data Catalog tables by crawler". Not documented by AWS and therefore
assumed here: partition keys are ``string``, the property ``DEPRECATED_BY_CRAWLER``, what counts as a
deleted table in the metrics.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.catalog_entries import columns_of, partition_entry, table_entry
from sandbox.crawl_layout import Found, TableFolder, lay_out, split_path, table_name, totals, union
from sandbox.crawl_rights import RoleRights
from sandbox.parquet_footers import Footer, UnreadableObject, read_footer

DEPRECATED = "DEPRECATED_BY_CRAWLER"

Partitions = dict[tuple[str, ...], list[Footer]]


class Stopped(Exception):
    """StopCrawler ended the run."""


@dataclass(frozen=True)
class Policies:
    """What a crawler does with changes, from ``SchemaChangePolicy`` and ``Configuration``."""

    update: bool
    delete: str
    merge_new_columns: bool
    inherit: bool

    @classmethod
    def of(cls, crawler: Mapping[str, Any]) -> Policies:
        """Reads a ``Crawler`` structure; AWS's defaults where it says nothing."""
        change = crawler.get("SchemaChangePolicy") or {}
        output = json.loads(crawler.get("Configuration") or "{}").get("CrawlerOutput", {})
        return cls(
            update=change.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE",
            delete=change.get("DeleteBehavior", "DEPRECATE_IN_DATABASE"),
            merge_new_columns=output.get("Tables", {}).get("AddOrUpdateBehavior") == "MergeNewColumns",
            inherit=output.get("Partitions", {}).get("AddOrUpdateBehavior") == "InheritFromTable",
        )


class Crawl:
    """``metrics`` counts what changed; ``log`` says what was only noticed."""

    def __init__(
        self, s3: Any, glue: Any, crawler: Mapping[str, Any], rights: RoleRights, stopped: Callable[[], bool]
    ) -> None:
        self._s3 = s3
        self._glue = glue
        self._crawler = crawler
        self._database = crawler["DatabaseName"]
        self._policies = Policies.of(crawler)
        self._rights = rights
        self._stopped = stopped
        self.metrics: Counter[str] = Counter()
        self.log: list[str] = []

    def run(self) -> None:
        """:raises AccessRefused: the role may not; :raises Stopped: StopCrawler was called"""
        self._ensure_database()
        seen: set[str] = set()
        for target in self._crawler["Targets"].get("S3Targets", []):
            bucket, prefix = split_path(target["Path"])
            self._rights.check_listing(bucket, prefix)
            for folder in lay_out(
                bucket, prefix, self._objects(bucket, prefix), target.get("Exclusions", [])
            ):
                name = self._crawl_table(folder)
                if name:
                    seen.add(name)
        self._retire(seen)

    def _ensure_database(self) -> None:
        try:
            self._glue.get_database(Name=self._database)
        except self._glue.exceptions.EntityNotFoundException:
            self._glue.create_database(DatabaseInput={"Name": self._database})

    def _objects(self, bucket: str, prefix: str) -> list[Found]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [Found(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]

    # ---- one table

    def _crawl_table(self, folder: TableFolder) -> str | None:
        self.log += [
            f"WARN {folder.location}: {misfit} has other partition keys" for misfit in folder.misfits
        ]
        partitions = self._read(folder)
        if not partitions:
            return None
        name, table = self._existing(folder)
        schema = self._write_table(name, table, folder, partitions)
        if folder.keys:
            self._write_partitions(name, folder, partitions, schema)
        return name

    def _read(self, folder: TableFolder) -> Partitions:
        self._rights.check_objects(
            folder.bucket, [found.key for objects in folder.partitions.values() for found in objects]
        )
        partitions: Partitions = {}
        for values, objects in sorted(folder.partitions.items()):
            for found in objects:
                if self._stopped():
                    raise Stopped
                try:
                    footer = read_footer(self._s3, folder.bucket, found.key, found.size)
                except UnreadableObject as problem:
                    self.log.append(f"ERROR {problem}")
                    continue
                self._rights.check_key(footer.kms_key)
                partitions.setdefault(values, []).append(footer)
        return partitions

    def _existing(self, folder: TableFolder) -> tuple[str, Mapping[str, Any] | None]:
        """A name that another location has taken gets a suffix, as AWS does."""
        name = table_name(folder.location, self._crawler.get("TablePrefix") or "")
        for candidate in (name, f"{name}_{folder.fingerprint}"):
            table = self._get_table(candidate)
            if table is None or _location(table) == folder.location.rstrip("/"):
                return candidate, table
        raise RuntimeError(f"no free table name for {folder.location}")

    def _get_table(self, name: str) -> Mapping[str, Any] | None:
        try:
            table: Mapping[str, Any] = self._glue.get_table(DatabaseName=self._database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return table

    def _write_table(
        self, name: str, table: Mapping[str, Any] | None, folder: TableFolder, partitions: Partitions
    ) -> dict[str, str]:
        """Returns the table's columns as the catalog has them afterwards."""
        footers = [footer for read in partitions.values() for footer in read]
        wanted = union(footer.columns for footer in footers)
        have = columns_of(table) if table else {}
        if self._policies.merge_new_columns:
            wanted = {**have, **_new(wanted, have)}
        entry = table_entry(name, folder, wanted, totals(footers), self._crawler["Name"])
        if table is None:
            self._glue.create_table(DatabaseName=self._database, TableInput=entry)
            self.metrics["TablesCreated"] += 1
            return wanted
        changed = have != wanted or DEPRECATED in table.get("Parameters", {})
        if not self._policies.update:
            if changed:
                self.log.append(f"INFO {name}: a schema change was only logged")
            return have
        self._glue.update_table(DatabaseName=self._database, TableInput=entry)
        self.metrics["TablesUpdated"] += changed
        return wanted

    # ---- its partitions

    def _write_partitions(
        self, name: str, folder: TableFolder, partitions: Partitions, schema: Mapping[str, str]
    ) -> None:
        where = {"DatabaseName": self._database, "TableName": name}
        pages = self._glue.get_paginator("get_partitions").paginate(**where)
        known = {tuple(item["Values"]): item for page in pages for item in page["Partitions"]}
        entries = {
            values: partition_entry(
                folder,
                values,
                schema if self._policies.inherit else union(footer.columns for footer in footers),
                totals(footers),
                self._crawler["Name"],
            )
            for values, footers in partitions.items()
        }
        new = [entry for values, entry in entries.items() if values not in known]
        for batch in _batches(new):
            self._glue.batch_create_partition(**where, PartitionInputList=batch)
        self.metrics["PartitionsCreated"] += len(new)
        changed = [
            {"PartitionValueList": list(values), "PartitionInput": entry}
            for values, entry in entries.items()
            if self._policies.update and values in known and _differs(known[values], entry)
        ]
        for batch in _batches(changed):
            self._glue.batch_update_partition(**where, Entries=batch)
        self.metrics["PartitionsUpdated"] += len(changed)
        self._drop_partitions(where, [values for values in known if values not in entries])

    def _drop_partitions(self, where: Mapping[str, str], gone: list[tuple[str, ...]]) -> None:
        if self._policies.delete == "DELETE_FROM_DATABASE":
            for values in gone:
                self._glue.delete_partition(**where, PartitionValues=list(values))
            self.metrics["PartitionsDeleted"] += len(gone)
        elif gone:
            self.log.append(f"INFO {where['TableName']}: {len(gone)} partitions are gone from S3")

    # ---- tables whose data is gone

    def _retire(self, seen: set[str]) -> None:
        for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database):
            for table in page["TableList"]:
                mine = table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self._crawler["Name"]
                if mine and table["Name"] not in seen:
                    self._retire_table(table)

    def _retire_table(self, table: Mapping[str, Any]) -> None:
        if self._policies.delete == "DELETE_FROM_DATABASE":
            self._glue.delete_table(DatabaseName=self._database, Name=table["Name"])
            self.metrics["TablesDeleted"] += 1
        elif self._policies.delete == "LOG":
            self.log.append(f"INFO {table['Name']}: its data is gone from S3")
        elif DEPRECATED not in table["Parameters"]:
            kept = ("Name", "Owner", "Retention", "TableType", "PartitionKeys", "StorageDescriptor")
            entry = {name: table[name] for name in kept if name in table}
            entry["Parameters"] = {**table["Parameters"], DEPRECATED: str(int(time.time() * 1000))}
            self._glue.update_table(DatabaseName=self._database, TableInput=entry)
            self.metrics["TablesDeleted"] += 1


def explain(problem: Exception) -> str:
    """Returns the message of a failed run: the error's code and text, never data."""
    if isinstance(problem, ClientError):
        error = problem.response["Error"]
        return f"{error['Code']}: {error['Message']}"
    return f"{type(problem).__name__}: {problem}"


def _batches(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Glue takes at most 100 partitions a call."""
    for start in range(0, len(items), 100):
        yield items[start : start + 100]


def _new(wanted: Mapping[str, str], have: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in wanted.items() if name not in have}


def _location(table: Mapping[str, Any]) -> str:
    return str(table.get("StorageDescriptor", {}).get("Location", "")).rstrip("/")


def _differs(known: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return columns_of(known) != columns_of(entry) or known.get("Parameters") != entry["Parameters"]
