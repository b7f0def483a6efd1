"""What an intermediate table inherits from the tables that filled it, and what its own rule may say.

Four controls are not judged when a table is filled but when it is used: result receivers, disallowed output
columns, additional analyses and whether those are allowed at all (User Guide, "Intermediate tables" and
"Configuring an analysis rule for an intermediate table"). Everything else of the base tables' rules holds
for the query that fills it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cleanrooms.rules.model import ID_MAPPING_TABLE, Table
from cleanrooms.rules.parameters import bind_script
from cleanrooms.rules.parse import parse_script
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.resolve import Resolver
from cleanrooms.rules.roles import additional_analyses, custom_rule
from cleanrooms.rules.scope import BaseColumn, final_blocks

NOT_ALLOWED, ALLOWED, REQUIRED = "NOT_ALLOWED", "ALLOWED", "REQUIRED"
# The guide's order. REQUIRED keeps results from people, NOT_ALLOWED keeps them from models: neither is laxer.
_STRICTNESS = (NOT_ALLOWED, ALLOWED, REQUIRED)
_STRICTER = {ALLOWED: {NOT_ALLOWED, REQUIRED}}


@dataclass(frozen=True)
class Parent:
    """A base table: what the service knows it by, and the table with its rules.

    :param kind: ``TABLE``, ``INTERMEDIATE_TABLE`` or ``ID_MAPPING_TABLE``
    """

    identifier: str
    kind: str
    table: Table

    @property
    def source(self) -> dict[str, Any]:
        """The members that name a source in the service's API."""
        return {
            "name": self.table.name,
            "id": self.identifier,
            "type": self.kind,
            "sourceAccountId": self.table.owner,
        }


def undeferred(table: Table) -> Table:
    """The table without the controls that wait until its data are used: what fills an intermediate table."""
    policy = {
        "v1": {
            kind: {
                name: value
                for name, value in rule.items()
                if name not in ("disallowedOutputColumns", "additionalAnalyses")
            }
            for kind, rule in ((table.policy or {}).get("v1") or {}).items()
        }
    }
    collaboration = table.association_rule
    if collaboration and (
        collaboration.get("allowedResultReceivers") or collaboration.get("allowedAdditionalAnalyses")
    ):
        collaboration = {"allowedResultReceivers": [table.owner]}
    return replace(table, policy=policy if table.policy else None, association_rule=collaboration)


def output_origins(
    sql: str,
    tables: Mapping[str, Table],
    declared: Sequence[Mapping[str, Any]] | None = None,
    values: Mapping[str, str] | None = None,
) -> dict[str, frozenset[BaseColumn]]:
    """The base columns that each column of an accepted query's result derives from, by its name.

    :param declared: parameters of the analysis template, None for a direct query
    :raises RefusedError: the query was not accepted before
    """
    report = Report(sql)
    script = parse_script(sql, report)
    bind_script(script, declared, values or {}, report)
    query = Resolver(tables, report, "FROM_SHAPE").script(script)
    if report.violations:
        raise RefusedError
    origins: dict[str, frozenset[BaseColumn]] = {}
    for block in final_blocks(query):
        for shown, found in zip(query.fields, block.fields, strict=True):
            name = shown.name.lower()
            origins[name] = origins.get(name, frozenset()) | found.lineage.origins
    return origins


def inherit(parents: Sequence[Parent], origins: Mapping[str, frozenset[BaseColumn]]) -> dict[str, Any]:
    """``inheritedConstraints`` in the service's form: the most restrictive combination, with its sources.

    Mapping tables contribute nothing: their rule knows none of these controls.
    """
    judged = [parent for parent in parents if parent.kind != ID_MAPPING_TABLE]
    if not judged:
        return {}
    values = [additional_analyses(parent.table) for parent in judged]
    return {
        "additionalAnalyses": {
            "value": max(values, key=_STRICTNESS.index),
            "sources": [
                {**parent.source, "value": value} for parent, value in zip(judged, values, strict=True)
            ],
        },
        "allowedAdditionalAnalyses": _intersection(judged, _analyses),
        "allowedResultReceivers": _intersection(judged, _receivers),
        "disallowedOutputColumns": _disallowed(judged, origins),
    }


def loosened(
    policy: Mapping[str, Any], inherited: Mapping[str, Any], columns: Sequence[str]
) -> tuple[str, ...]:
    """What a custom rule would permit although a base table of another member forbids it; empty if nothing.

    :param policy: ``v1.custom`` of the intermediate table's rule
    :param inherited: see :func:`inherit`; empty where nothing binds the owner
    :param columns: names of the table's columns
    """
    if not inherited:
        return ()
    problems = []
    for field in ("allowedResultReceivers", "allowedAdditionalAnalyses"):
        more = set(policy.get(field) or ()) - set(_value(inherited, field) or ())
        if more:
            problems.append(
                f"{field} may only name what all base tables allow, not {', '.join(sorted(more))}"
            )
    forbidden = {name for name in _value(inherited, "disallowedOutputColumns") or () if name in columns}
    missing = forbidden - {str(name).lower() for name in policy.get("disallowedOutputColumns") or ()}
    if missing:
        problems.append(f"disallowedOutputColumns has to name {', '.join(sorted(missing))} as well")
    given, least = policy.get("additionalAnalyses"), _value(inherited, "additionalAnalyses")
    if given is not None and least is not None and given != least and given not in _STRICTER.get(least, ()):
        problems.append(f"additionalAnalyses is {least} by the base tables; {given} is not stricter")
    return tuple(problems)


def effective(policy: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """``v1.custom`` as it is enforced: the rule, and what was inherited where that is stricter."""
    if not inherited:
        return dict(policy)
    receivers, analyses = (
        [name for name in policy.get(field) or () if name in (_value(inherited, field) or ())]
        for field in ("allowedResultReceivers", "allowedAdditionalAnalyses")
    )
    disallowed = [
        *(policy.get("disallowedOutputColumns") or ()),
        *(_value(inherited, "disallowedOutputColumns") or ()),
    ]
    least = _value(inherited, "additionalAnalyses") or NOT_ALLOWED
    given = policy.get("additionalAnalyses", least)
    return {
        **policy,
        "allowedResultReceivers": receivers,
        "allowedAdditionalAnalyses": analyses,
        "disallowedOutputColumns": list(dict.fromkeys(disallowed)),
        "additionalAnalyses": given if given in _STRICTER.get(least, ()) else least,
    }


def _value(inherited: Mapping[str, Any], field: str) -> Any:
    return (inherited.get(field) or {}).get("value")


def _receivers(table: Table) -> list[str]:
    return list((table.association_rule or {}).get("allowedResultReceivers") or ())


def _analyses(table: Table) -> list[str]:
    if additional_analyses(table) == NOT_ALLOWED:
        return []
    return list((table.association_rule or {}).get("allowedAdditionalAnalyses") or ())


def _intersection(parents: Sequence[Parent], read: Any) -> dict[str, Any]:
    lists = [read(parent.table) for parent in parents]
    common = [item for item in lists[0] if all(item in other for other in lists[1:])]
    sources = [{**parent.source, "value": found} for parent, found in zip(parents, lists, strict=True)]
    return {"value": common, "sources": sources}


def _disallowed(parents: Sequence[Parent], origins: Mapping[str, frozenset[BaseColumn]]) -> dict[str, Any]:
    lineage = []
    for column, bases in origins.items():
        for base in sorted(bases, key=lambda item: (item.table, item.column)):
            for parent in parents:
                hit = parent.table.name.lower() == base.table
                if hit and base.column in custom_rule(parent.table).disallowed:
                    source = {
                        "sourceColumn": base.column,
                        "sourceName": parent.table.name,
                        "sourceId": parent.identifier,
                        "sourceType": parent.kind,
                        "sourceAccountId": parent.table.owner,
                    }
                    lineage.append({"column": column, **source})
    return {"value": list(dict.fromkeys(item["column"] for item in lineage)), "columnLineage": lineage}
