"""Checks of a StartProtectedQuery call that need no look into the query's clauses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cleanrooms.rules.model import CUSTOM, ID_MAPPING_TABLE, Submission, Table, Template
from cleanrooms.rules.report import Report
from cleanrooms.rules.roles import additional_analyses

_PREFIX = re.compile(r"[\w!.=*/-]{0,512}")
MAX_TABLES = 15
MAX_RUNNING = 5


def check_call(
    report: Report,
    sql: str | None,
    template: Template | None,
    runner: str,
    receivers: Sequence[str],
    facts: Submission,
) -> None:
    """Who calls, who pays, who receives, and in which form the query is given."""
    if bool(sql) == (template is not None):
        fix = "Give a queryString or an analysisTemplateArn, not both and not none."
        _add(report, "PARAMETERS", "sqlParameters must have exactly one of text and template.", fix)
    if template is not None and not template.available:
        fix = "Create the template in this collaboration."
        _add(report, "TEMPLATE_NOT_FOUND", "The template does not belong to the collaboration.", fix)
    if facts.can_query is not None and facts.can_query != runner:
        _add(report, "CALLER_ABILITY", "The caller may not query.", "Run it as the member with CAN_QUERY.")
    if (facts.payer or runner) in facts.inactive:
        _add(report, "PAYER_INACTIVE", "The payer is not an active member.", "Name another payer.")
    for receiver in receivers:
        if receiver in facts.inactive:
            _add(report, "RECEIVER_INACTIVE", "A receiver is not an active member.", "Name another one.")
        if facts.can_receive is not None and receiver not in facts.can_receive:
            fix = "Name a member with CAN_RECEIVE_RESULTS."
            _add(report, "RECEIVER_ABILITY", "A receiver may not receive results.", fix)
    for problem in output_problems(facts.output, runner):
        _add(report, "OUTPUT_CONFIG", problem, "Correct outputConfiguration.")
    if facts.result_bucket is not None and facts.result_bucket in facts.data_buckets:
        message = "The result bucket is the bucket of a data source."
        _add(report, "RESULT_BUCKET", message, "Write results to another bucket.")
    if facts.running_queries >= MAX_RUNNING:
        message = f"The membership already runs {MAX_RUNNING} queries."
        _add(report, "QUOTA", message, "Wait until one has finished.")


def output_problems(output: Mapping[str, Any] | None, runner: str) -> list[str]:
    """What is wrong with an ``outputConfiguration``; an empty list when nothing is."""
    if output is None:
        return []
    if len(output) != 1:
        return ["outputConfiguration takes exactly one kind of output."]
    problems = [problem for place in (output, *_locations(output)) for problem in _file_problems(place)]
    if "distribute" not in output:
        return problems
    locations = _locations(output)
    problems += [] if locations else ["distribute needs at least one location."]
    if sum("s3" in location for location in locations) > 1:
        problems.append("distribute takes at most one s3 location.")
    members = [location["member"].get("accountId") for location in locations if "member" in location]
    if runner in members:
        problems.append("The member who runs the query cannot be a member location.")
    if len(set(members)) != len(members):
        problems.append("A member is named twice.")
    return problems


def members_of(output: Mapping[str, Any] | None) -> list[str]:
    """The accounts that an ``outputConfiguration`` delivers to."""
    places = [output, *_locations(output)] if output is not None else []
    named = [(place.get("member") or {}).get("accountId") for place in places]
    return [str(account) for account in named if account]


def _locations(output: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (output.get("distribute") or {}).get("locations") or []


def _file_problems(place: Mapping[str, Any]) -> list[str]:
    """What is wrong with an ``s3`` location; the API itself refuses one without bucket or format."""
    files = place.get("s3") or {}
    problems = []
    if files.get("resultFormat", "CSV") not in ("CSV", "PARQUET"):
        problems.append("resultFormat is CSV or PARQUET.")
    if not _PREFIX.fullmatch(files.get("keyPrefix") or ""):
        problems.append("keyPrefix has up to 512 letters, digits and !.=*/-_.")
    return problems


def check_tables(
    report: Report,
    tables: Sequence[Table],
    receivers: Sequence[str],
    template: Template | None,
    facts: Submission,
) -> None:
    """Whether every table can be queried this way at all."""
    if len(tables) > MAX_TABLES:
        message = f"The query reads {len(tables)} tables; {MAX_TABLES} are allowed."
        _add(report, "TOO_MANY_TABLES", message, "Split the query.")
    budgets = {name.lower(): remaining for name, remaining in facts.access_budgets.items()}
    for table in tables:
        _check_ready(report, table)
        _check_receivers(report, table, receivers)
        if template is not None and table.rule_type not in (CUSTOM, ID_MAPPING_TABLE, None):
            message = f"Table {table.name} has no custom rule: templates cannot be used."
            _add(report, "TEMPLATE_RULE_TYPE", message, "Send the query's text.")
        if additional_analyses(table) == "REQUIRED":
            message = f"Table {table.name} may only feed an additional analysis."
            _add(report, "ADDITIONAL_ANALYSIS_REQUIRED", message, "Leave it out of direct queries.")
        if budgets.get(table.name.lower(), 1) <= 0:
            message = f"The access budget of table {table.name} is spent."
            _add(report, "ACCESS_BUDGET", message, "Wait until it is refreshed.")


def _check_ready(report: Report, table: Table) -> None:
    if table.rule_type is None:
        fix = "Its owner must create an analysis rule."
        _add(report, "TABLE_NO_RULE", f"Table {table.name} has no analysis rule.", fix)
        return
    if table.analysis_method == "DIRECT_JOB":
        message = f"Table {table.name} is open to jobs only."
        _add(report, "TABLE_METHOD", message, "Its owner must allow DIRECT_QUERY.")
    if table.rule_type != ID_MAPPING_TABLE and not (table.association_rule or {}).get(
        "allowedResultReceivers"
    ):
        reason = "COLLABORATION_ANALYSIS_RULE" if table.association_rule is None else "RESULT_RECEIVERS"
        fix = "Its owner must create a collaboration analysis rule with result receivers."
        _add(report, "NOT_READY", f"Table {table.name} is not ready: {reason}_NOT_CONFIGURED.", fix)


def _check_receivers(report: Report, table: Table, receivers: Sequence[str]) -> None:
    allowed = (table.association_rule or {}).get("allowedResultReceivers") or ()
    if table.association_rule is None or not allowed:
        return
    for receiver in receivers:
        if receiver not in allowed:
            message = f"Table {table.name} does not allow account {receiver} to receive results."
            fix = "Its owner must add the account to allowedResultReceivers."
            _add(report, "RECEIVER_NOT_ALLOWED", message, fix)


def _add(report: Report, code: str, message: str, fix: str) -> None:
    report.add(code, message, rule="StartProtectedQuery", fix=fix)
