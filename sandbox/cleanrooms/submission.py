"""The judgement of one StartProtectedQuery call: the facts that it needs and the exception it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cleanrooms.rules import Submission, Table, Template, Verdict, Violation, check
from cleanrooms.rules.inheritance import undeferred
from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.associations import associations_in
from sandbox.cleanrooms.intermediate_states import KIND
from sandbox.cleanrooms.intermediate_table import IntermediateTable
from sandbox.cleanrooms.mapped_tables import mapped_tables_in
from sandbox.cleanrooms.outputs import Outputs
from sandbox.cleanrooms.room import CAN_QUERY, CAN_RECEIVE_RESULTS, Room
from sandbox.cleanrooms.spark import TableNames, UnreadableQuery, names_in
from sandbox.cleanrooms.spending import aggregations_left, is_private, uses_left
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.tables import AssociatedTable
from sandbox.cleanrooms.templates import template_in
from sandbox.wire import ServiceFault

# What the documentation leaves open is answered with these classes (see docs/fidelity.md).
_ABOUT_FIELDS = {"PARAMETERS", "OUTPUT_CONFIG"}
_ABOUT_CONFIGURATION = {
    "ACCESS_BUDGET",
    "ADDITIONAL_ANALYSIS_REQUIRED",
    "DP_BUDGET_EXHAUSTED",
    "DP_NO_BUDGET",
    "NOT_READY",
    "PAYER_INACTIVE",
    "RECEIVER_ABILITY",
    "RECEIVER_INACTIVE",
    "RECEIVER_NOT_ALLOWED",
    "RESULT_BUCKET",
    "TABLE_METHOD",
    "TABLE_NO_RULE",
}


@dataclass(frozen=True)
class Judged:
    """A verdict and what it is about.

    :param seen: the tables as their owners' rules have them
    :param text: before it was constrained
    :param mentioned: the names in it
    """

    verdict: Verdict
    tables: Mapping[str, AssociatedTable]
    seen: Mapping[str, Table]
    template: Template | None = None
    text: str = ""
    mentioned: tuple[str, ...] = ()

    @property
    def used(self) -> list[AssociatedTable]:
        """The tables that the query reads."""
        return [self.tables[name] for name in self.verdict.tables if name in self.tables]


def judge(
    room: Room,
    collaboration: Document,
    runner: str,
    parameters: Mapping[str, Any],
    outputs: Outputs,
    payer: str,
    *,
    populates: bool = False,
) -> Judged:
    """Judges a query by all rules of the collaboration.

    :param parameters: ``sqlParameters`` of the request
    :param populates: an intermediate table, for which some controls wait until it is used
    :raises ServiceFault: ResourceNotFoundException for a template that the collaboration lacks,
        ValidationException for both or none of query and template
    """
    template = _template(room, collaboration, parameters)
    text = parameters.get("queryString", "") if template is None else template.sql
    named = _named(text)
    tables = _tables(room, collaboration, named)
    seen: dict[str, Table] = {}
    data_buckets = set()
    for name, table in tables.items():
        catalog = table.catalog()
        seen[name] = table.as_rule_table(catalog)
        data_buckets.add(catalog.storage.bucket)
    facts = _facts(room, collaboration, outputs, payer, frozenset(data_buckets), tables, text)
    verdict = check(
        parameters.get("queryString"),
        {name: undeferred(table) for name, table in seen.items()} if populates else seen,
        runner=runner,
        receivers=outputs.receivers,
        template=template,
        parameters=parameters.get("parameters"),
        submission_facts=facts,
    )
    return Judged(verdict, tables, seen, template, text, named.read)


def split(violations: Sequence[Violation]) -> tuple[ServiceFault | None, str]:
    """Returns the exception for what is wrong with the call, and the text for what is wrong with the query.

    The first is raised in every mode; the second is a ValidationException or, where violations are
    reported later, the failure of the query. Either may be missing.
    """
    fields = [one for one in violations if one.code in _ABOUT_FIELDS]
    configuration = [one for one in violations if one.code in _ABOUT_CONFIGURATION]
    query = [one for one in violations if one not in fields and one not in configuration]
    if any(one.code == "CALLER_ABILITY" for one in violations):
        return refusals.denied("The member does not have the ability CAN_QUERY."), ""
    if any(one.code == "TEMPLATE_NOT_FOUND" for one in violations):
        return refusals.missing("analysis template", "", _text(violations)), ""
    if fields:
        return refusals.field_invalid("sqlParameters", _text(fields)), _text(query)
    if configuration:
        return refusals.unready(_text(configuration)), _text(query)
    return None, _text(query)


def _text(violations: Sequence[Violation]) -> str:
    return " ".join(dict.fromkeys(one.message for one in violations))


def _template(room: Room, collaboration: Document, parameters: Mapping[str, Any]) -> Template | None:
    arn = parameters.get("analysisTemplateArn")
    if (arn is None) == (parameters.get("queryString") is None):
        raise refusals.field_invalid(
            "sqlParameters", "takes either queryString or analysisTemplateArn, one of them"
        )
    if arn is None:
        return None
    found = template_in(room, collaboration["id"], arn)
    if found is None:
        raise refusals.missing("analysis template", arn)
    return Template(
        arn=arn,
        creator=found["creatorAccountId"],
        sql=found["source"]["text"],
        parameters=found.get("analysisParameters") or (),
    )


def _named(text: str) -> TableNames:
    try:
        return names_in(text)
    except UnreadableQuery:
        return TableNames()  # the verdict says so, with the position


def _tables(room: Room, collaboration: Document, named: TableNames) -> dict[str, AssociatedTable]:
    wanted = set(named.mentioned)
    found = [
        AssociatedTable.load(room.store, association)
        for association in associations_in(room, collaboration["id"])
        if association["name"] in wanted
    ]
    mapped = [table for table in mapped_tables_in(room, collaboration["id"]) if table.name in wanted]
    if empty := next((table.name for table in mapped if not table.is_populated), None):
        raise refusals.unready(f"Table {empty} is not ready: ID_MAPPING_TABLE_NOT_POPULATED.")
    cached = [
        IntermediateTable.of(room.store, document)
        for document in room.store.of_members(KIND, collaboration["id"])
        if document["name"] in wanted
    ]
    if unready := next((table for table in cached if table.not_ready), None):
        raise refusals.unready(f"Table {unready.name} is not ready: {unready.not_ready}.")
    return {table.name: table for table in [*found, *mapped, *cached] if table is not None}


def _facts(
    room: Room,
    collaboration: Document,
    outputs: Outputs,
    payer: str,
    data_buckets: frozenset[str],
    tables: Mapping[str, AssociatedTable],
    text: str,
) -> Submission:
    members = collaboration["_members"]
    left = aggregations_left(room, collaboration["id"], text) if is_private(tables.values()) else None
    clash = next((one.bucket for one in outputs.destinations if one.bucket in data_buckets), None)
    return Submission(
        can_query=next((one["accountId"] for one in members if CAN_QUERY in one["abilities"]), None),
        can_receive=frozenset(one["accountId"] for one in members if CAN_RECEIVE_RESULTS in one["abilities"]),
        inactive=frozenset(one["accountId"] for one in members if one["status"] != "ACTIVE"),
        payer=payer,
        output=outputs.configuration,
        result_bucket=clash,
        data_buckets=data_buckets,
        access_budgets=uses_left(room, collaboration["id"], tables),
        privacy_budget=left is not None,
        privacy_remaining=left,
    )
