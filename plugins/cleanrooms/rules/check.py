"""The verdict on one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import UnsupportedError

from cleanrooms.rules import constraints, custom, id_mapping, submission
from cleanrooms.rules.aggregation import Aggregation
from cleanrooms.rules.list_rule import Listing
from cleanrooms.rules.model import (
    AGGREGATION,
    CUSTOM,
    ID_MAPPING_TABLE,
    LIST,
    Submission,
    Table,
    Template,
    Verdict,
)
from cleanrooms.rules.parameters import bind_script
from cleanrooms.rules.parse import Script, parse_script
from cleanrooms.rules.report import RefusedError, Report
from cleanrooms.rules.resolve import Resolver
from cleanrooms.rules.roles import custom_rule
from cleanrooms.rules.scope import Block, Query, Relation, blocks
from cleanrooms.rules.thresholds import Thresholds


def check(
    sql: str | None,
    tables: Mapping[str, Table],
    *,
    runner: str,
    receivers: Sequence[str] = (),
    template: Template | None = None,
    parameters: Mapping[str, str] | None = None,
    submission_facts: Submission | None = None,
) -> Verdict:
    """Judge a query by the analysis rules of the tables that it reads.

    :param sql: the query's text; None or empty when a template is run
    :param tables: the associations of the collaboration, by name
    :param runner: AWS account id of the member who runs the query
    :param receivers: account ids of the members who receive the result; empty: not judged
    :param template: the analysis template that is run instead of ``sql``
    :param parameters: values of the ``:name`` parameters; a direct query's are strings
    :param submission_facts: what else is known about the call
    :return: accepted with the constrained query, or refused with every violation that was found
    """
    report = Report((template.sql if template is not None else sql) or "")
    judge = _Judge(report, tables, runner, receivers, template, submission_facts or Submission())
    try:
        judge.judge(sql, parameters)
        constrained = None if report.violations else judge.constrained()
    except RefusedError:
        constrained = None
    except UnsupportedError:
        code = judge.resolver.code
        report.add(
            code, "A function of the query has no exact form in Spark SQL.", fix="Use another function."
        )
        constrained = None
    except RecursionError:
        report.add("PARSE", "The text is nested too deeply.", fix="Flatten the query.")
        constrained = None
    if report.violations or constrained is None:
        return Verdict(False, tuple(report.violations), tables=judge.table_names())
    return Verdict(True, (), constrained, judge.table_names(), judge.output_columns())


class _Judge:
    def __init__(
        self,
        report: Report,
        tables: Mapping[str, Table],
        runner: str,
        receivers: Sequence[str],
        template: Template | None,
        facts: Submission,
    ) -> None:
        self.report, self.runner = report, runner
        self.receivers = tuple(dict.fromkeys([*receivers, *submission.members_of(facts.output)]))
        self.template, self.facts = template, facts
        self.tables = {name.lower(): table for name, table in tables.items()}
        self.script: Script | None = None
        self.resolver = Resolver(tables, report, "FROM_SHAPE")
        self.query: Query | None = None
        self.flat: Aggregation | None = None
        self.used: list[Table] = []

    def judge(self, sql: str | None, parameters: Mapping[str, str] | None) -> None:
        submission.check_call(self.report, sql, self.template, self.runner, self.receivers, self.facts)
        if self.template is not None and sql:
            raise RefusedError
        self.script = parse_script(self.report.text, self.report)
        declared = self.template.parameters if self.template is not None else None
        bind_script(self.script, declared, parameters or {}, self.report)
        self.resolver.code = self._shape_code(self.script)
        try:
            self.query = self.resolver.script(self.script)
        finally:
            self.used = list(self.resolver.used.values())
            submission.check_tables(self.report, self.used, self.receivers, self.template, self.facts)
        if "TABLE_UNKNOWN" in self.report.codes():
            return
        if not self.used:
            message = "The query reads no table of the collaboration."
            self.report.add("FROM_SHAPE", message, rule="query grammar", fix="Name a table in FROM.")
            return
        types = {table.rule_type for table in self.used} - {ID_MAPPING_TABLE}
        if None in types:
            return
        if len(types) > 1:
            self._mixed()
            return
        self._by_type(types.pop() if types else CUSTOM)

    def _by_type(self, rule_type: str | None) -> None:
        assert self.script is not None
        assert self.query is not None
        every = {id(block): block for root in self._roots() for block in blocks(root)}
        id_mapping.check_mapping_tables(every.values(), self.report)
        if rule_type == CUSTOM:
            custom.check_custom(
                self.script, self._roots(), self.query, self.report, self.used, self.runner, self.template,
                self.facts,
            )  # fmt: skip
            return
        block = self.query
        if not isinstance(block, Block):
            node = block.node
            self.report.add("SET_OPERATOR", "Set operators are not supported.", node, rule="query grammar",
                            fix="Send one SELECT.")  # fmt: skip
            return
        if rule_type == AGGREGATION:
            self.flat = Aggregation(block, self.report, self.report.text)
            self.flat.check(self.script, self.runner)
        elif rule_type == LIST:
            Listing(block, self.report).check(self.script, self.runner)

    def _mixed(self) -> None:
        self.report.add(
            "RULE_TYPES_MIXED",
            "The tables of a query must have the same type of analysis rule.",
            *[relation.node for relation in self._relations()],
            rule="one rule type per query (ID mapping tables take the others' type)",
            fix="Query tables with the same type of rule.",
        )

    def _roots(self) -> list[Query]:
        """The queries of all cached tables and CTEs, used or not, and the final query."""
        final = [self.query] if self.query is not None else []
        return [*(definition.query for definition in self.resolver.definitions), *final]

    def _relations(self) -> list[Relation]:
        found = {
            id(item): item for root in self._roots() for block in blocks(root) for item in block.relations
        }
        return [item for item in found.values() if item.table is not None]

    def _shape_code(self, script: Script) -> str:
        """The code for what cannot be understood, by the rules of the tables that the text names."""
        names = {node.name.lower() for root in script.roots() for node in root.find_all(exp.Table)}
        rules = [custom_rule(table) for name, table in self.tables.items() if name in names
                 and table.rule_type == CUSTOM]  # fmt: skip
        if any(rule.user for rule in rules):
            return "DP_SHAPE"
        return "SQL_SURFACE" if rules else "FROM_SHAPE"

    def constrained(self) -> str:
        assert self.script is not None
        assert self.query is not None
        if self.flat is not None:
            constraints.require_groups(self.flat.clauses)
        else:
            Thresholds(custom.custom_rules(self.used), self.report).enforce(self.query)
        return constraints.finish(self.script, self.resolver.definitions, self.query, set(self.tables))

    def table_names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.used)

    def output_columns(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.query.fields) if self.query is not None else ()
