"""ID mapping tables: which identifiers of two namespaces mean the same person.

Where the mapping comes from is said in :mod:`sandbox.cleanrooms.id_namespaces`. Populating copies it, so
that queries see what was populated last.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.associations import associations_in
from sandbox.cleanrooms.id_namespaces import check_owner, entity_resolution_object, namespaces_in
from sandbox.cleanrooms.intermediate_states import settle
from sandbox.cleanrooms.mapped_tables import KIND, MappedTable
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.table_names import check_free
from sandbox.clients import root_client
from sandbox.wire import Caller

_SUMMARY = (
    "collaborationArn",
    "collaborationId",
    "membershipId",
    "membershipArn",
    "createTime",
    "updateTime",
    "id",
    "arn",
    "description",
    "inputReferenceConfig",
    "name",
)
_COLUMN = re.compile(r"[a-z0-9_]+")


class IdMappingTables(Room):
    """Operations on ID mapping tables."""

    def create_id_mapping_table(self, caller: Caller, **request: Any) -> Document:
        """Makes an empty table for a mapping workflow; its name becomes lower case.

        :raises ServiceFault: ResourceNotFoundException for a workflow that is not there; ValidationException
            while the collaboration lacks a SOURCE or a TARGET namespace
        """
        reference = request["inputReferenceConfig"]
        check_owner(caller, reference["inputReferenceArn"])
        columns = _read(reference["inputReferenceArn"]).column_names
        with self.store.transaction():
            membership = self.active_membership_of(caller, request["membershipIdentifier"])
            collaboration, name = membership["collaborationId"], request["name"].lower()
            check_free(self, collaboration, name, associations_in(self, collaboration))
            used = len(self.store.find(KIND, parent=membership["id"]))
            quotas.within(
                quotas.ID_MAPPING_TABLES_PER_MEMBERSHIP, used + 1, "ID mapping tables per membership"
            )
            identifier, created = names.new_id(), names.now()
            body = {
                "id": identifier,
                "arn": names.child_arn(membership["arn"], "idmappingtable", identifier),
                "inputReferenceConfig": reference,
                "membershipId": membership["id"],
                "membershipArn": membership["arn"],
                "collaborationId": collaboration,
                "collaborationArn": membership["collaborationArn"],
                "description": request.get("description"),
                "name": name,
                "createTime": created,
                "updateTime": created,
                "inputReferenceProperties": {"idMappingTableInputSource": self._sources(collaboration)},
                "kmsKeyArn": request.get("kmsKeyArn"),
                "_columns": columns,
                "_job": None,
            }
            self.store.add(KIND, body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"idMappingTable": public(body)}

    def get_id_mapping_table(self, caller: Caller, **request: Any) -> Document:
        """Shows a table to its owner."""
        return {"idMappingTable": public(self._mapping_table(caller, request))}

    def list_id_mapping_tables(self, caller: Caller, **request: Any) -> Document:
        """Lists the tables of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find(KIND, parent=membership["id"])
        shown, more = page(mine, request, f"id mapping tables {membership['id']}")
        return {"idMappingTableSummaries": [summary(one, _SUMMARY) for one in shown], **more}

    def update_id_mapping_table(self, caller: Caller, **request: Any) -> Document:
        """Changes description or key."""
        with self.store.transaction():
            found = self._mapping_table(caller, request)
            found |= {field: request[field] for field in ("description", "kmsKeyArn") if field in request}
            found["updateTime"] = names.now()
            self.store.save(KIND, found)
        return {"idMappingTable": public(found)}

    def delete_id_mapping_table(self, caller: Caller, **request: Any) -> Document:
        """Deletes a table and its rows."""
        with self.store.transaction():
            found = self._mapping_table(caller, request)
            self.store.remove(KIND, found["id"])
            self.store.remove("tags", found["arn"])
        _forget(MappedTable.of(self, found))
        settle(self.store, self.managed, found["collaborationId"])
        return {}

    def populate_id_mapping_table(self, caller: Caller, **request: Any) -> Document:
        """Reads the mapping anew; DELETE_ONLY adds nothing and takes away what the mapping lost.

        :raises ServiceFault: ValidationException for a mapping whose columns have changed
        """
        found = self._mapping_table(caller, request)
        rows = _read(found["inputReferenceConfig"]["inputReferenceArn"])
        if rows.column_names != found["_columns"]:
            raise refusals.unready("The columns of the ID mapping have changed; make a new table.")
        before = MappedTable.of(self, found)
        if request.get("jobType") == "DELETE_ONLY":
            rows = _kept(_populated(before, rows.schema), rows)
        job = names.new_id()
        _write(MappedTable.of(self, found | {"_job": job}), rows)
        with self.store.transaction():
            current = self._mapping_table(caller, request)
            self.store.save(KIND, current | {"_job": job, "updateTime": names.now()})
        _forget(before)
        return {"idMappingJobId": job}

    def _mapping_table(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["idMappingTableIdentifier"]
        found = self.store.get(KIND, identifier)
        if found is None or found["membershipId"] != membership["id"]:
            raise refusals.missing("ID mapping table", identifier)
        return found

    def _sources(self, collaboration: str) -> list[Document]:
        """The collaboration's oldest namespace of each type, the source first."""
        found = namespaces_in(self, collaboration)
        sources = []
        for kind in ("SOURCE", "TARGET"):
            of_kind = [one for one in found if one["inputReferenceProperties"]["idNamespaceType"] == kind]
            if not of_kind:
                raise refusals.unready(f"The collaboration has no ID namespace association of type {kind}.")
            sources.append({"idNamespaceAssociationId": of_kind[0]["id"], "type": kind})
        return sources


def _read(workflow: str) -> pa.Table:
    """The mapping as two columns of text."""
    bucket, key, body = entity_resolution_object(workflow, ".csv")
    header = body.split(b"\n", 1)[0].decode("utf-8", "replace").strip().lower().split(",")
    if len(header) != 2 or not all(_COLUMN.fullmatch(name) for name in header):
        raise refusals.unready(f"s3://{bucket}/{key} has to begin with the names of two columns.")
    try:
        return pa_csv.read_csv(
            io.BytesIO(body),
            read_options=pa_csv.ReadOptions(column_names=header, skip_rows=1),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        raise refusals.unready(f"s3://{bucket}/{key} is not a CSV file of two columns.") from None


def _place(table: MappedTable) -> tuple[Any, str, str]:
    storage = table.catalog().storage
    key = f"{storage.prefix}part-00000.parquet"
    return root_client("s3", table.owner, table.region), storage.bucket, key


def _write(table: MappedTable, rows: pa.Table) -> None:
    client, bucket, key = _place(table)
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    client.put_object(Bucket=bucket, Key=key, Body=sink.getvalue())


def _populated(table: MappedTable, schema: pa.Schema) -> pa.Table:
    if not table.is_populated:
        return schema.empty_table()
    client, bucket, key = _place(table)
    return pq.read_table(io.BytesIO(client.get_object(Bucket=bucket, Key=key)["Body"].read()))


def _kept(before: pa.Table, now: pa.Table) -> pa.Table:
    """The rows of ``before`` that ``now`` still has."""
    left = set(zip(*(column.to_pylist() for column in now.columns), strict=True))
    pairs = zip(*(column.to_pylist() for column in before.columns), strict=True)
    return before.filter(pa.array([pair in left for pair in pairs], pa.bool_()))


def _forget(table: MappedTable) -> None:
    if table.is_populated:
        client, bucket, key = _place(table)
        client.delete_object(Bucket=bucket, Key=key)
