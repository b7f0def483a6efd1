"""What a member does in the clean room: join, configure tables, set rules, associate; and leave again.

Everything follows one file of ``include/collaborations``. Each function makes what is missing, changes what
differs and leaves the rest, so that it can run again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cleanrooms.config import Collaboration, Query, Table
from examples.party import Party, found, pages
from examples.resources import same


def ensure_collaboration(party: Party, config: Collaboration) -> str:
    """Id of the collaboration, which our side creates."""
    rooms = party.client("cleanrooms")
    for known in pages(rooms, "list_collaborations", "collaborationList"):
        if known["name"] == config.collaboration and known["creatorAccountId"] == party.account:
            return str(known["id"])
    us = config.us
    others = [
        {"accountId": m.account, "displayName": m.name, "memberAbilities": list(m.abilities)}
        for m in config.members
        if not m.us
    ]
    made = rooms.create_collaboration(
        name=config.collaboration,
        description=config.description,
        creatorDisplayName=us.name,
        creatorMemberAbilities=list(us.abilities),
        members=others,
        queryLogStatus="DISABLED",
        analyticsEngine="SPARK",
    )
    return str(made["collaboration"]["id"])


def ensure_membership(party: Party, collaboration_id: str) -> str:
    """Id of the party's membership; the collaboration must have invited it."""
    rooms = party.client("cleanrooms")
    for known in pages(rooms, "list_memberships", "membershipSummaries", status="ACTIVE"):
        if known["collaborationId"] == collaboration_id:
            return str(known["id"])
    made = rooms.create_membership(collaborationIdentifier=collaboration_id, queryLogStatus="DISABLED")
    return str(made["membership"]["id"])


def associate(
    party: Party, membership_id: str, table: Table, *, database: str, glue_table: str, role_arn: str
) -> None:
    """Configure a table and give it its SQL name in the collaboration; rules come after the templates."""
    rooms = party.client("cleanrooms")
    configured = _configured_table(party, table.configured_table)
    if configured is None:
        made = rooms.create_configured_table(
            name=table.configured_table,
            tableReference={"glue": {"databaseName": database, "tableName": glue_table}},
            allowedColumns=list(table.allowed_columns),
            analysisMethod="DIRECT_QUERY",
        )
        configured = made["configuredTable"]["id"]
    if _association(party, membership_id, table.name) is None:
        rooms.create_configured_table_association(
            name=table.name,
            membershipIdentifier=membership_id,
            configuredTableIdentifier=configured,
            roleArn=role_arn,
        )


def ensure_template(party: Party, membership_id: str, query: Query, sql: str) -> str:
    """ARN of a query's analysis template. Its text never changes, so another text is another template."""
    rooms = party.client("cleanrooms")
    for known in pages(
        rooms, "list_analysis_templates", "analysisTemplateSummaries", membershipIdentifier=membership_id
    ):
        if known["name"] != query.template:
            continue
        template = rooms.get_analysis_template(
            membershipIdentifier=membership_id, analysisTemplateIdentifier=known["id"]
        )["analysisTemplate"]
        if template["source"]["text"] == sql:
            return str(known["arn"])
        rooms.delete_analysis_template(
            membershipIdentifier=membership_id, analysisTemplateIdentifier=known["id"]
        )
    names = ["week_start", "week_end", *query.parameters]
    made = rooms.create_analysis_template(
        membershipIdentifier=membership_id,
        name=query.template,
        description=query.title,
        format="SQL",
        source={"text": sql},
        analysisParameters=[{"name": name, "type": "VARCHAR"} for name in names],
    )
    return str(made["analysisTemplate"]["arn"])


def ensure_rules(party: Party, membership_id: str, table: Table, templates: Mapping[str, str]) -> None:
    """The analysis rule of a table and that of its association.

    :param templates: ARNs by template name, for ``template:NAME`` in ``allowedAnalyses``
    """
    rooms = party.client("cleanrooms")
    kind = table.rule.type
    rule: dict[str, Any] = {
        "configuredTableIdentifier": _configured_table(party, table.configured_table),
        "analysisRuleType": kind,
    }
    policy = with_templates(table.rule.policy, templates)
    known = found(rooms.get_configured_table_analysis_rule, **rule)
    if known is None:
        rooms.create_configured_table_analysis_rule(**rule, analysisRulePolicy=policy)
    elif not same(known["analysisRule"]["policy"], policy):
        rooms.update_configured_table_analysis_rule(**rule, analysisRulePolicy=policy)

    association: dict[str, Any] = {
        "membershipIdentifier": membership_id,
        "configuredTableAssociationIdentifier": _association(party, membership_id, table.name),
        "analysisRuleType": kind,
    }
    receivers = {"v1": {kind.lower(): table.association_rule}}
    known = found(rooms.get_configured_table_association_analysis_rule, **association)
    if known is None:
        rooms.create_configured_table_association_analysis_rule(**association, analysisRulePolicy=receivers)
    elif not same(known["analysisRule"]["policy"], receivers):
        rooms.update_configured_table_association_analysis_rule(**association, analysisRulePolicy=receivers)


def with_templates(policy: Mapping[str, Any], templates: Mapping[str, str]) -> dict[str, Any]:
    """A policy with ARNs in place of ``template:NAME``.

    :raises KeyError: a template of that name does not exist
    """
    filled: dict[str, Any] = json.loads(json.dumps(policy))
    custom = filled["v1"].get("custom")
    if custom:
        custom["allowedAnalyses"] = [
            templates[entry.removeprefix("template:")] if entry.startswith("template:") else entry
            for entry in custom["allowedAnalyses"]
        ]
    return filled


def leave(party: Party, collaboration: str) -> None:
    """Remove what the party has in the collaboration of that name, and the collaboration if it made it."""
    rooms = party.client("cleanrooms")
    for membership in pages(rooms, "list_memberships", "membershipSummaries"):
        if membership["collaborationName"] == collaboration:
            _empty_membership(party, membership["id"])
            rooms.delete_membership(membershipIdentifier=membership["id"])
    for known in pages(rooms, "list_collaborations", "collaborationList"):
        if known["name"] == collaboration and known["creatorAccountId"] == party.account:
            rooms.delete_collaboration(collaborationIdentifier=known["id"])


def remove_configured_tables(party: Party, names: set[str]) -> None:
    """Delete configured tables with their rules."""
    rooms = party.client("cleanrooms")
    for known in pages(rooms, "list_configured_tables", "configuredTableSummaries"):
        if known["name"] in names:
            for kind in known.get("analysisRuleTypes", []):
                rooms.delete_configured_table_analysis_rule(
                    configuredTableIdentifier=known["id"], analysisRuleType=kind
                )
            rooms.delete_configured_table(configuredTableIdentifier=known["id"])


def _empty_membership(party: Party, membership_id: str) -> None:
    rooms = party.client("cleanrooms")
    where = {"membershipIdentifier": membership_id}
    for known in pages(
        rooms, "list_configured_table_associations", "configuredTableAssociationSummaries", **where
    ):
        association = {**where, "configuredTableAssociationIdentifier": known["id"]}
        rooms.delete_configured_table_association(**association)
    for known in pages(rooms, "list_analysis_templates", "analysisTemplateSummaries", **where):
        rooms.delete_analysis_template(**where, analysisTemplateIdentifier=known["id"])


def _configured_table(party: Party, name: str) -> str | None:
    found_tables = pages(party.client("cleanrooms"), "list_configured_tables", "configuredTableSummaries")
    return next((str(known["id"]) for known in found_tables if known["name"] == name), None)


def _association(party: Party, membership_id: str, name: str) -> str | None:
    found_associations = pages(
        party.client("cleanrooms"),
        "list_configured_table_associations",
        "configuredTableAssociationSummaries",
        membershipIdentifier=membership_id,
    )
    return next((str(known["id"]) for known in found_associations if known["name"] == name), None)
