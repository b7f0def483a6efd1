"""What the service and the catalog say about a collaboration now.

Only read calls: ListMemberships, ListMembers, BatchGetSchema, BatchGetSchemaAnalysisRule,
ListCollaborationAnalysisTemplates, GetCollaborationAnalysisTemplate, glue:GetPartitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cleanrooms.config import Collaboration
from cleanrooms.errors import PreflightError
from cleanrooms.preflight.keys import DaysOfKeys

BATCH = 25  # names per BatchGetSchema call (service limit)


@dataclass(frozen=True)
class Facts:
    """Answers of the service, keyed by the names that SQL and config use.

    :param membership: our MembershipSummary
    :param members: account id -> MemberSummary
    :param schemas: association name -> Schema
    :param rules: association name -> SchemaAnalysisRule
    :param templates: template name -> CollaborationAnalysisTemplate
    :param partitions: association name -> values of ``dt`` in the catalog (our tables with a source)
    :param keys: association name -> key columns of the week's published days (our tables with a source)
    """

    membership: Mapping[str, Any]
    members: Mapping[str, Mapping[str, Any]]
    schemas: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Mapping[str, Any]]
    templates: Mapping[str, Mapping[str, Any]]
    partitions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    keys: Mapping[str, DaysOfKeys] = field(default_factory=dict)

    @property
    def collaboration_id(self) -> str:
        return str(self.membership["collaborationId"])


def gather(collaboration: Collaboration, cleanrooms: Any, glue: Any) -> Facts:
    """Ask the service and the catalog.

    :param cleanrooms: boto3 client of our account
    :param glue: boto3 client of our account
    :raises PreflightError: we have no active membership in a collaboration of this name
    """
    membership = find_membership(cleanrooms, collaboration.collaboration)
    identifier = membership["collaborationId"]
    names = [table.name for table in collaboration.tables]
    schemas = {s["name"]: s for s in _schemas(cleanrooms, identifier, names)}
    return Facts(
        membership=membership,
        members={
            member["accountId"]: member
            for member in _all(
                cleanrooms, "list_members", "memberSummaries", collaborationIdentifier=identifier
            )
        },
        schemas=schemas,
        rules={rule["name"]: rule for rule in _rules(cleanrooms, identifier, schemas)},
        templates=_templates(cleanrooms, identifier),
        partitions={
            table.name: _days(glue, str(table.database), str(table.table))
            for table in collaboration.our_tables
            if table.source
        },
    )


def find_membership(cleanrooms: Any, name: str) -> dict[str, Any]:
    """Our active membership in the collaboration of a name.

    :raises PreflightError: there is none, or more than one
    """
    found = [
        summary
        for summary in _all(cleanrooms, "list_memberships", "membershipSummaries", status="ACTIVE")
        if summary["collaborationName"] == name
    ]
    if len(found) == 1:
        return dict(found[0])
    if found:
        raise PreflightError(
            f"{len(found)} active memberships are in collaborations called {name}: "
            f"{', '.join(sorted(str(summary['id']) for summary in found))}.",
            "Give each collaboration a name of its own.",
        )
    raise PreflightError(
        f"Our account has no active membership in a collaboration called {name}.",
        "Create the collaboration or accept the invitation (CreateMembership); then clear this task.",
    )


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]


def _schemas(client: Any, identifier: str, names: list[str]) -> list[dict[str, Any]]:
    found = []
    for start in range(0, len(names), BATCH):
        answer = client.batch_get_schema(
            collaborationIdentifier=identifier, names=names[start : start + BATCH]
        )
        found += answer["schemas"]
    return found


def _rules(client: Any, identifier: str, schemas: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    wanted = [
        {"name": name, "type": kind}
        for name, schema in schemas.items()
        for kind in schema["analysisRuleTypes"]
    ]
    found = []
    for start in range(0, len(wanted), BATCH):
        answer = client.batch_get_schema_analysis_rule(
            collaborationIdentifier=identifier, schemaAnalysisRuleRequests=wanted[start : start + BATCH]
        )
        found += answer["analysisRules"]
    return found


def find_template(client: Any, identifier: str, name: str) -> str:
    """ARN of the analysis template of a name in a collaboration.

    :raises PreflightError: there is none
    """
    for summary in _template_summaries(client, identifier):
        if summary["name"] == name:
            return str(summary["arn"])
    raise PreflightError(
        f"Collaboration {identifier} has no analysis template {name}.",
        "Create it (CreateAnalysisTemplate) and have the data owners allow its ARN.",
    )


def _template_summaries(client: Any, identifier: str) -> list[dict[str, Any]]:
    return _all(
        client,
        "list_collaboration_analysis_templates",
        "collaborationAnalysisTemplateSummaries",
        collaborationIdentifier=identifier,
    )


def _templates(client: Any, identifier: str) -> dict[str, dict[str, Any]]:
    return {
        summary["name"]: client.get_collaboration_analysis_template(
            collaborationIdentifier=identifier, analysisTemplateArn=summary["arn"]
        )["collaborationAnalysisTemplate"]
        for summary in _template_summaries(client, identifier)
    }


def _days(glue: Any, database: str, table: str) -> frozenset[str]:
    """Values of the partition key ``dt``; none when the table does not exist yet."""
    try:
        pages = glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table, ExcludeColumnSchema=True
        )
        return frozenset(partition["Values"][0] for page in pages for partition in page["Partitions"])
    except glue.exceptions.EntityNotFoundException:
        return frozenset()
