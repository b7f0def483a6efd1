"""The checks before a week's queries are paid for. Each looks at one thing and lists what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cleanrooms.config import Collaboration, Query
from cleanrooms.config import Table as Declared
from cleanrooms.preflight.facts import Facts
from cleanrooms.preflight.keys import key_problems, unlisted
from cleanrooms.rules import Table, Template, check, references
from cleanrooms.windows import Week

Check = Callable[[Collaboration, Facts, Week], Iterable[str]]


def problems(collaboration: Collaboration, facts: Facts, week: Week) -> list[str]:
    """Everything that stands against running the week's queries; empty when all is well."""
    return [problem for look in CHECKS for problem in look(collaboration, facts, week)]


def members_active(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """Every declared member has joined and has the abilities that the config counts on."""
    for member in collaboration.members:
        summary = facts.members.get(member.account)
        if summary is None:
            yield f"member {member.name} ({member.account}) is not part of the collaboration"
            continue
        if summary["status"] != "ACTIVE":
            yield f"member {member.name} ({member.account}) is {summary['status']}, not ACTIVE"
        if missing := sorted(set(member.abilities) - set(summary["abilities"])):
            yield f"member {member.name} ({member.account}) lacks {', '.join(missing)}"


def tables_ready(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """Every declared table is associated by its owner and READY for direct analysis."""
    accounts = {member.name: member.account for member in collaboration.members}
    for table in collaboration.tables:
        schema = facts.schemas.get(table.name)
        if schema is None:
            yield f"table {table.name} is not associated by {table.owner}"
            continue
        if schema["creatorAccountId"] != accounts[table.owner]:
            yield f"table {table.name} belongs to account {schema['creatorAccountId']}, not to {table.owner}"
        for detail in schema["schemaStatusDetails"]:
            if detail["analysisType"] == "DIRECT_ANALYSIS" and detail["status"] != "READY":
                reasons = (
                    ", ".join(reason["code"] for reason in detail.get("reasons", [])) or "no reason given"
                )
                yield f"table {table.name} is {detail['status']}: {reasons}"


def rules_as_declared(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """No analysis rule differs from the one that the config declares: a partner's change is seen before Monday."""
    for table in collaboration.tables:
        rule = facts.rules.get(table.name)
        if rule is None:
            continue  # tables_ready says why
        if rule["type"] != table.rule.type:
            yield f"table {table.name} has a {rule['type']} rule; declared is {table.rule.type}"
            continue
        for path in differences(declared_policy(table, facts), rule["policy"]):
            yield f"rule of table {table.name} differs from the declared one at {path}"


def partitions_present(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """The catalog has all seven days of the week for each of our tables."""
    for table in collaboration.our_tables:
        if not table.source:
            continue
        missing = [
            day.isoformat() for day in week.days if day.isoformat() not in facts.partitions[table.name]
        ]
        if missing:
            yield (
                f"table {table.name} lacks the partitions dt = {', '.join(missing)}: "
                f"run ingest__{table.source} for these days"
            )


def templates_as_declared(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """The text of every analysis template is that of the SQL file which people review."""
    for query in collaboration.queries:
        if not query.template:
            continue
        template = facts.templates.get(query.template)
        if template is None:
            yield f"query {query.name}: there is no analysis template {query.template}"
        elif _squeeze(template["source"]["text"]) != _squeeze(collaboration.sql_text(query)):
            yield f"query {query.name}: the text of template {query.template} is not that of {query.sql}"


def queries_accepted(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """Every query passes the analysis rules as the service holds them now."""
    tables = {name: rules_table(schema, facts.rules.get(name)) for name, schema in facts.schemas.items()}
    for query, sql, template in _asked(collaboration, facts):
        verdict = check(
            sql,
            tables,
            runner=collaboration.us.account,
            receivers=[collaboration.us.account],
            template=template,
            parameters=parameters(query, week),
        )
        for violation in verdict.violations:
            yield f"query {query.name}: {violation}"


def keys_match(collaboration: Collaboration, facts: Facts, week: Week) -> Iterator[str]:
    """No query uses key columns that are absent, of several epochs, or of other epochs than those they join."""
    tables = {name: rules_table(schema, facts.rules.get(name)) for name, schema in facts.schemas.items()}
    plans = {table.name: table.rotation for table in collaboration.tables if table.rotation is not None}
    for query, sql, template in _asked(collaboration, facts):
        used = references(sql, tables, template=template, parameters=parameters(query, week))
        yield from key_problems(query.name, used, facts.keys, plans, week)
        text = template.sql if template else collaboration.sql_text(query)
        for name, keys in facts.keys.items():
            if name in tables:
                yield from unlisted(query.name, text, name, keys, tables[name].columns)


CHECKS: tuple[Check, ...] = (
    members_active,
    tables_ready,
    rules_as_declared,
    partitions_present,
    templates_as_declared,
    queries_accepted,
    keys_match,
)


def parameters(query: Query, week: Week) -> dict[str, str]:
    """Values of a query's parameters for a week; the window comes as two days, both included."""
    window = {"week_start": week.monday.isoformat(), "week_end": week.sunday.isoformat()}
    return {**window, **query.parameters}


def rules_table(schema: Mapping[str, Any], rule: Mapping[str, Any] | None) -> Table:
    """A table as the verdict sees it, from the service's Schema and SchemaAnalysisRule."""
    columns = {column["name"]: column["type"] for column in [*schema["columns"], *schema["partitionKeys"]]}
    return Table(
        name=schema["name"],
        owner=schema["creatorAccountId"],
        columns=columns,
        rule_type=rule["type"] if rule else None,
        policy=_policy(schema, rule) if rule else None,
        association_rule=_association_rule(schema, rule),
        analysis_method=schema.get("analysisMethod", "DIRECT_QUERY"),
    )


def declared_policy(table: Declared, facts: Facts) -> Any:
    """The declared policy, with ``template:<name>`` replaced by the template's ARN."""
    return _with_arns(table.rule.policy, {name: t["arn"] for name, t in facts.templates.items()})


def differences(declared: Any, actual: Any, path: str = "policy") -> Iterator[str]:
    """Places at which two policies differ; the order of a list means nothing."""
    if isinstance(declared, Mapping) and isinstance(actual, Mapping):
        for key in sorted({*declared, *actual}):
            yield from differences(declared.get(key), actual.get(key), f"{path}.{key}")
    elif isinstance(declared, list) and isinstance(actual, list):
        if sorted(map(_canonical, declared)) != sorted(map(_canonical, actual)):
            yield path
    elif (declared or None) != (actual or None):
        yield path


def _canonical(value: Any) -> str:
    if isinstance(value, Mapping):
        return json.dumps({key: _canonical(value[key]) for key in sorted(value)})
    if isinstance(value, list):
        return json.dumps(sorted(_canonical(item) for item in value))
    return json.dumps(value)


def _with_arns(value: Any, arns: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_arns(item, arns) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_arns(item, arns) for item in value]
    if isinstance(value, str) and value.startswith("template:"):
        return arns.get(value.removeprefix("template:"), value)
    return value


def _policy(schema: Mapping[str, Any], rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is enforced: of an intermediate table, its rule with what it inherited from its base tables."""
    if schema.get("type") == "INTERMEDIATE_TABLE":
        return dict(rule.get("consolidatedPolicy") or rule["policy"])
    return dict(rule["policy"])


def _association_rule(schema: Mapping[str, Any], rule: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Collaboration analysis rule, whose only key below ``v1`` is the rule's type.

    An intermediate table names its receivers in its own rule.
    """
    if rule is None:
        return None
    is_intermediate = schema.get("type") == "INTERMEDIATE_TABLE"
    policy = _policy(schema, rule) if is_intermediate else rule.get("collaborationPolicy")
    return next(iter(policy["v1"].values()), {}) if policy else None


def _asked(collaboration: Collaboration, facts: Facts) -> Iterator[tuple[Query, str | None, Template | None]]:
    """Queries with what each asks, its text or its template; not those whose template there is not."""
    for query in collaboration.queries:
        template = _template(query, facts)
        if template is None and query.template:
            continue  # templates_as_declared says so
        yield query, None if template else collaboration.sql_text(query), template


def _template(query: Query, facts: Facts) -> Template | None:
    held = facts.templates.get(query.template or "")
    if held is None:
        return None
    return Template(
        arn=held["arn"],
        creator=held["creatorAccountId"],
        sql=held["source"]["text"],
        parameters=held.get("analysisParameters", []),
    )


def _squeeze(text: str) -> str:
    return " ".join(text.split())
