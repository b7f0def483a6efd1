"""The corpus of documented and observed behaviour: every case gets its verdict, code and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlglot

from cleanrooms.rules.cases import Corpus
from cleanrooms.rules.codes import CODES
from tests.rules.support import CASES

CORPUS = Corpus.load(CASES)
MORE = Corpus.load(CASES.with_name("rules_more.yaml"))
PAGES = Corpus.load(CASES.with_name("rules_pages.yaml"))


def _named(case: Mapping[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", CORPUS.cases, ids=_named)
def test_case_agrees(case):
    outcome = CORPUS.run(case)
    assert outcome.agrees, outcome.detail


@pytest.mark.parametrize("case", MORE.cases, ids=_named)
def test_further_documented_case_agrees(case):
    outcome = MORE.run(case)
    assert outcome.agrees, outcome.detail


@pytest.mark.parametrize("case", PAGES.cases, ids=_named)
def test_case_of_the_pages_agrees(case):
    outcome = PAGES.run(case)
    assert outcome.agrees, outcome.detail


def test_every_reason_has_a_case():
    assert {case["code"] for corpus in (CORPUS, MORE) for case in corpus.cases} == {"OK", *CODES}


@pytest.mark.parametrize("case", [case for case in CORPUS.cases if case["expect"] == "deny"], ids=_named)
def test_expected_reason_is_reported_first(case):
    assert CORPUS.run(case).codes[0] == case["code"]


# The laboratory's table was called members; the fixture of this one case has another name.
REAL_MESSAGES = [case for case in CORPUS.cases if case.get("message") and case["id"] != "agg-no-sel-037"]


@pytest.mark.parametrize("case", REAL_MESSAGES, ids=_named)
def test_real_message_is_reproduced(case):
    assert CORPUS.run(case).message_agrees


@pytest.mark.parametrize("case", [case for case in CORPUS.cases if case.get("effective_having")], ids=_named)
def test_constraints_are_injected_per_table_reference(case):
    constrained = CORPUS.verdict(case).require().replace("`", "")
    assert constrained.split(" HAVING ")[1].split(" ORDER BY ")[0] == case["effective_having"]


def test_accepted_queries_are_spark_text_that_duckdb_can_be_given():
    for case in CORPUS.cases:
        if case["expect"] == "allow" and case.get("kind") != "rule":
            verdict = CORPUS.verdict(case)
            (statement,) = sqlglot.parse(verdict.require(), read="spark")
            assert len(statement.selects) == len(verdict.output_columns)
            assert sqlglot.transpile(verdict.require(), read="spark", write="duckdb")
