"""The attacks find what they are for: with one check of the rules taken away, something leaks."""

from __future__ import annotations

from random import Random

import pytest

from cleanrooms.rules import constraints, id_mapping, private_structure
from cleanrooms.rules.report import Report
from cleanrooms.rules.scope import Block
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
