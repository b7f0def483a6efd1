"""What a population writes down: the base tables of a query, and a version with what it inherits from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cleanrooms.rules.inheritance import Parent, inherit, output_origins
from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.intermediate_states import expiration
from sandbox.cleanrooms.intermediate_table import TYPE, IntermediateTable
from sandbox.cleanrooms.mapped_tables import MappedTable
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.submission import Judged
from sandbox.cleanrooms.tables import AssociatedTable

# ColumnName of the service's API.
_COLUMN = re.compile(r"[a-z0-9_](([a-z0-9_ ]+-)*([a-z0-9_ ]+))?")


def dependencies_of(used: Sequence[AssociatedTable]) -> tuple[list[Document], list[str]]:
    """Base tables with those behind intermediate ones, and the ARNs of what a use of them counts for."""
    found: dict[str, Document] = {}
    for table in used:
        found[table.association["id"]] = _dependency(table, "DIRECT")
    for table in used:
        for base in table.association.get("tableDependencies", ()):
            found.setdefault(base["id"], {**base, "parentType": "INDIRECT"})
    return list(found.values()), list(dict.fromkeys(arn for table in used for arn in table.budget_arns))


def _dependency(table: AssociatedTable, parent: str) -> Document:
    return {
        "id": table.association["id"],
        "name": table.name,
        "type": _kind(table),
        "parentType": parent,
        "creatorAccountId": table.owner,
    }


def _kind(table: AssociatedTable) -> str:
    if isinstance(table, IntermediateTable):
        return TYPE
    return "ID_MAPPING_TABLE" if isinstance(table, MappedTable) else "TABLE"


def new_version(table: Document, judged: Judged, parameters: Mapping[str, Any]) -> Document:
    """A version with a snapshot of what it inherits from its base tables at this moment."""
    inherited: Document = {}
    if judged.verdict.accepted:
        check_columns(judged.verdict.output_columns)
        parents = [Parent(one.association["id"], _kind(one), judged.seen[one.name]) for one in judged.used]
        declared = judged.template.parameters if judged.template else None
        origins = output_origins(judged.text, judged.seen, declared, parameters.get("parameters"))
        inherited = inherit(parents, origins)
    created = names.now()
    return {
        "id": names.new_id(),
        "tableId": table["id"],
        "createTime": created,
        "analysisId": names.new_id(),
        "analysisType": "QUERY",
        "kmsKeyArn": table["kmsKeyArn"],
        "parameters": parameters.get("parameters"),
        "inheritedConstraints": inherited,
        "expirationTime": expiration(created, table["retentionInDays"]),
    }


def check_columns(columns: Sequence[str]) -> None:
    """Lets pass columns that the table can have.

    :raises ServiceFault: ValidationException
    """
    lowered = [column.lower() for column in columns]
    wrong = [column for column in lowered if not _COLUMN.fullmatch(column)]
    if wrong or len(set(lowered)) < len(lowered):
        raise refusals.query_refused(
            "Every column of an intermediate table needs a name of its own, of letters, digits and "
            "underscores: give the columns of the query aliases."
        )
