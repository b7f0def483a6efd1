"""Custom rules: who may run what, and what may not come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sqlglot import exp

from cleanrooms.rules import differential_privacy, surface
from cleanrooms.rules.comparisons import Comparisons
from cleanrooms.rules.model import CUSTOM, Submission, Table, Template
from cleanrooms.rules.parse import Script
from cleanrooms.rules.report import Report, column_list
from cleanrooms.rules.roles import CustomRule, custom_rule
from cleanrooms.rules.scope import BaseColumn, Query, blocks, final_blocks, set_blocks

ANY_QUERY = "ANY_QUERY"

T = TypeVar("T")


def custom_rules(tables: Iterable[Table]) -> dict[str, CustomRule]:
    """The custom rules among the tables, by the table's name in lower case."""
    return {table.name.lower(): custom_rule(table) for table in tables if table.rule_type == CUSTOM}


def check_custom(
    script: Script,
    roots: Sequence[Query],
    query: Query,
    report: Report,
    tables: Sequence[Table],
    runner: str,
    template: Template | None,
    facts: Submission,
) -> None:
    """Run all checks of custom rules; violations go to the report.

    :param roots: the queries of all CTEs and cached tables, and the final query
    :param tables: every table that the text names, used or not
    """
    rules = custom_rules(tables)
    _authorised(report, tables, rules, runner, template)
    everything = _unique(block for root in roots for block in blocks(root))
    surface.check_functions(everything, report)
    if any(rule.controlled for rule in rules.values()):
        sets = _unique(item for root in roots for item in set_blocks(root))
        surface.check_controlled(everything, sets, query, rules, report)
        Comparisons(rules, report).check(everything, sets)
    if any(rule.user for rule in rules.values()):
        dp_tables = [table for table in tables if table.name.lower() in rules]
        differential_privacy.check_private(everything, query, dp_tables, rules, report, facts)
    disallowed = frozenset(
        BaseColumn(name, column) for name, rule in rules.items() for column in rule.disallowed
    )
    if disallowed:
        _outputs(query, disallowed, report)
        _cached_tables(script, roots, disallowed, report)


def _unique(items: Iterable[T]) -> list[T]:
    return list({id(item): item for item in items}.values())


def _authorised(
    report: Report,
    tables: Sequence[Table],
    rules: Mapping[str, CustomRule],
    runner: str,
    template: Template | None,
) -> None:
    for table in tables:
        rule = rules.get(table.name.lower())
        if rule is None:
            continue
        author = template.creator if template is not None else runner
        listed = template is not None and template.arn in rule.analyses
        if listed or (ANY_QUERY in rule.analyses and author in rule.providers):
            continue
        what = "template" if template is not None else "direct query"
        report.add(
            "CUSTOM_NOT_ALLOWED",
            f"Table {table.name} does not allow this {what}.",
            rule="allowedAnalyses and allowedAnalysisProviders of every table",
            fix="Run a template that every table's owner allows, or ask them to allow this one.",
        )


def _outputs(query: Query, disallowed: frozenset[BaseColumn], report: Report) -> None:
    for block in final_blocks(query):
        wrong: list[exp.Expression] = []
        found: set[BaseColumn] = set()
        for item, field in zip(block.node.expressions, block.fields, strict=True):
            hit = field.lineage.origins & disallowed
            wrong += [item] if hit else []
            found |= hit
        if wrong:
            report.add(
                "DISALLOWED_OUTPUT",
                f"Column(s) {column_list(sorted(item.column for item in found))} cannot be part of the output.",
                *wrong,
                rule="disallowedOutputColumns",
                fix="Use these columns in joins, conditions and sort keys only.",
            )


def _cached_tables(
    script: Script, roots: Sequence[Query], disallowed: frozenset[BaseColumn], report: Report
) -> None:
    cached = {id(item.query) for item in script.caches}
    for root in roots:
        if id(root.node) not in cached:
            continue
        read = {
            base
            for block in blocks(root)
            for field in block.resolved.values()
            for base in field.lineage.origins
        }
        if read & disallowed:
            report.add(
                "DISALLOWED_OUTPUT",
                f"Column(s) {column_list(sorted(item.column for item in read & disallowed))} cannot be read "
                "by CACHE TABLE.",
                root.node,
                rule="disallowedOutputColumns: a cached SELECT may not reference them at all",
                fix="Use a common table expression instead.",
            )
