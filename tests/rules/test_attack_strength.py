"""The attacks find what they are for: with one check of the rules taken away, something leaks."""

from __future__ import annotations

from random import Random

import pytest
from sqlglot import exp

from cleanrooms.rules import constraints, id_mapping, private_structure, resolve
from cleanrooms.rules.dialect import CleanRoomsParser
from cleanrooms.rules.from_clause import FromClauses
from cleanrooms.rules.private_structure import PrivateStructure
from cleanrooms.rules.relations import values_relation
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import Block, Field
from cleanrooms.rules.thresholds import Thresholds
from tests.rules.attacks import LEAKED, attack, database

SEEDS = 800
"""At most: most are found within the first tens, all within the first hundreds."""


def _leaks(kind: str) -> bool:
    connection = database(kind)
    return any(attack(Random(seed), kind, connection).end == LEAKED for seed in range(SEEDS))


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("list", "COLUMN_IN_SELECT", ""),
        ("disallowed", "DISALLOWED_OUTPUT", ""),
        ("thresholds", "AGG_EXPRESSION", ""),
        ("private", "DP_USER_ID", "at the end"),
        ("private", "DP_USER_ID", "inside the query"),
        ("private", "DP_JOIN", ""),
        ("private", "DP_WINDOW", ""),
        ("private", "DISALLOWED_OUTPUT", ""),
        ("mapping", "IDMT_COLUMN", ""),
        ("mapping", "IDMT_OVERLAP", ""),
        ("mapping", "IDMT_SIDE", ""),
        ("mapping-open", "IDMT_COLUMN", ""),
        ("mapping-list", "COLUMN_IN_SELECT", ""),
        ("mixed", "LITERAL_COMPARISON", ""),
        ("mixed", "AGG_EXPRESSION", ""),
    ],
)
def test_a_check_that_reports_nothing_is_found(monkeypatch, kind, code, words):
    add = Report.add

    def silent(self, reported, message, *nodes, **more):
        if reported != code or words not in message:
            add(self, reported, message, *nodes, **more)

    monkeypatch.setattr(Report, "add", silent)
    assert _leaks(kind)


def test_output_constraints_that_are_not_injected_are_found(monkeypatch):
    monkeypatch.setattr(constraints, "require_groups", lambda clauses: None)
    assert _leaks("aggregation")


def test_values_beside_noisy_aggregates_are_found(monkeypatch):
    monkeypatch.setattr(private_structure, "outside_groups", lambda block: [])
    assert _leaks("private")


def test_users_that_an_outer_join_lumps_together_are_found(monkeypatch):
    monkeypatch.setattr(Block, "may_be_missing", lambda self, target: False)
    assert _leaks("private")


def test_mapping_tables_matched_with_constants_are_found(monkeypatch):
    monkeypatch.setattr(id_mapping._Use, "is_partner", lambda self, target: True)
    assert _leaks("mapping")


def test_a_threshold_that_counts_for_the_first_table_only_is_found(monkeypatch):
    incoming = Thresholds._incoming
    monkeypatch.setattr(Thresholds, "_incoming", lambda self, block: incoming(self, block)[:1])
    assert _leaks("mixed")


def test_thresholds_of_nested_queries_that_get_lost_are_found(monkeypatch):
    monkeypatch.setattr(Thresholds, "_nested", lambda self, query: [])
    assert _leaks("mixed")


def test_nested_queries_among_constants_are_found(monkeypatch):
    def unseen(self, node, alias, known, block):
        for row in node.expressions:
            self._clause(Block(block.node), known, row)
        return values_relation(node, alias)

    monkeypatch.setattr(FromClauses, "_values", unseen)
    assert _leaks("disallowed")


def test_a_function_that_only_the_parser_knows_is_found(monkeypatch):
    monkeypatch.setitem(CleanRoomsParser.FUNCTIONS, "COLUMNS", exp.Columns.from_arg_list)
    assert _leaks("disallowed")


def test_methods_of_values_are_found(monkeypatch):
    monkeypatch.setattr(resolve, "is_misread", lambda node: False)
    assert _leaks("disallowed")


def test_variables_that_are_called_like_tables_are_found(monkeypatch):
    monkeypatch.setattr(constraints, "rename_variables", lambda root, taken: None)
    assert _leaks("disallowed")


def test_copies_of_nested_queries_that_read_the_table_instead_are_found(monkeypatch):
    rename = constraints._rename

    def first_only(script, definitions, tables):
        seen: set[int] = set()
        for node in [node for root in script.roots() for node in root.find_all(exp.Table)]:
            number = node.meta.get(constraints.DEFINITION)
            if number in seen:
                del node.meta[constraints.DEFINITION]
            seen |= {number} - {None}
        rename(script, definitions, tables)

    monkeypatch.setattr(constraints, "_rename", first_only)
    assert _leaks("disallowed")


def test_columns_that_are_called_like_the_identities_are_found(monkeypatch):
    numbers = iter(range(1, 10**6))
    monkeypatch.setattr(Thresholds, "_fresh", lambda self, pattern: pattern.format(next(numbers) % 2 + 1))
    assert _leaks("thresholds")


def test_unions_that_forget_what_was_computed_are_found(monkeypatch):
    merged = Field.merged

    def forgetful(self, other, name):
        found = merged(self, other, name)
        found.computed = False
        return found

    monkeypatch.setattr(Field, "merged", forgetful)
    assert _leaks("thresholds")


def test_set_operations_that_are_cut_too_early_are_found(monkeypatch):
    monkeypatch.setattr(PrivateStructure, "_uncut", lambda self, query: None)
    assert _leaks("private")
