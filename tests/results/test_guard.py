"""The guard trusts the file and nothing else, and says what is wrong without saying what is in it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.config.collaboration import Query
from cleanrooms.errors import ReleaseRefused
from cleanrooms.results.guard import CHECKS, Finding, GuardReport, examine, guard
from tests.results.examples import LIFT, OVERLAP, SUPPRESSION, lift, overlap, suppression, table


def _overlap(households: list[Any]) -> pa.Table:
    rows = len(households)
    return table(OVERLAP, segment=[f"s{n}" for n in range(rows)], age=["35+"] * rows, households=households)


@pytest.mark.parametrize(
    ("query", "result"), [(OVERLAP, overlap()), (LIFT, lift()), (SUPPRESSION, suppression())]
)
def test_a_sound_result_passes_every_check(query: Query, result: pa.Table) -> None:
    report = guard(result, query)
    assert report.passed
    assert {finding.judgement for finding in report.findings} == {"passed"}
    assert report.rows == result.num_rows


def test_a_group_of_exactly_the_minimum_passes() -> None:
    assert guard(_overlap([25]), OVERLAP).passed


@pytest.mark.parametrize(
    ("households", "said"),
    [
        ([24, 25], "less than the minimum in 1 of 2 rows"),
        ([0, 25], "less than the minimum in 1 of 2 rows"),
        ([-3, 25], "a negative number in 1 of 2 rows"),
        ([None, 25, None], "no value in 2 of 3 rows"),
        ([None, -1, 3, 4], "no value in 1, a negative number in 1, less than the minimum in 2 of 4 rows"),
    ],
)
def test_a_group_that_is_too_small_or_not_a_size_is_refused(households: list[Any], said: str) -> None:
    with pytest.raises(ReleaseRefused) as refusal:
        guard(_overlap(households), OVERLAP)
    assert f"households (minimum 25) has {said}" in str(refusal.value)


def test_a_size_that_is_not_a_count_is_refused() -> None:
    query = OVERLAP.model_copy(update={"group_size": "segment"})
    with pytest.raises(ReleaseRefused, match="segment is string"):
        guard(overlap(), query)


def test_a_group_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ReleaseRefused, match="1 groups of audience_overlap occur more than once"):
        guard(pa.concat_tables([overlap(), overlap().slice(0, 1)]), OVERLAP)


def test_a_nameless_group_that_occurs_twice_is_refused() -> None:
    twice = table(OVERLAP, segment=[None, None], age=["35+", "35+"], households=[30, 40])
    with pytest.raises(ReleaseRefused, match="more than once"):
        guard(twice, OVERLAP)


def test_a_query_without_dimensions_has_one_row_at_most() -> None:
    with pytest.raises(ReleaseRefused, match="suppression_list occur more than once"):
        guard(table(SUPPRESSION, households=[100, 200]), SUPPRESSION)


def test_a_nameless_group_is_flagged_and_published() -> None:
    report = guard(table(OVERLAP, segment=[None], age=["35+"], households=[30]), OVERLAP)
    assert report.passed
    assert [(flag.check, dict(flag.counts)) for flag in report.flags] == [("named_groups", {"segment": 1})]


def test_an_empty_result_passes() -> None:
    assert guard(overlap().slice(0, 0), OVERLAP).passed


def test_a_refusal_names_columns_and_counts_and_no_value() -> None:
    result = table(OVERLAP, segment=["very rare", "gold"], age=["99", "35+"], households=[17, 300])
    with pytest.raises(ReleaseRefused) as refusal:
        guard(result, OVERLAP)
    told = str(refusal.value) + json.dumps(refusal.value.data)
    assert not any(value in told for value in ("very rare", "gold", "99", "17", "300"))


def test_all_refusals_are_told_at_once() -> None:
    result = table(OVERLAP, segment=["a", "a"], age=["1", "1"], households=[1, 2])
    assert [finding.check for finding in examine(result, OVERLAP).refusals] == ["group_size", "unique_groups"]


def test_a_report_survives_json() -> None:
    report = examine(_overlap([1, None, 30]), OVERLAP)
    assert GuardReport.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_a_further_check_is_one_more_function_in_the_list() -> None:
    def budget(result: pa.Table, query: Query) -> Finding:
        return Finding("budget", "the week has releases left", "refused", f"{query.name} has none left")

    with pytest.raises(ReleaseRefused, match="audience_overlap has none left"):
        guard(overlap(), OVERLAP, [*CHECKS, budget])
