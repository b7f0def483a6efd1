"""The truth that the demo and the tests compare with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from examples import truth
from examples.setup import collaboration

W46 = date(2017, 11, 13)


@pytest.fixture(scope="module")
def expected() -> dict[str, list[truth.Row]]:
    return truth.expected(W46)


def test_it_answers_every_query_with_its_columns(expected) -> None:
    for query in collaboration().queries:
        assert list(expected[query.name][0]) == [column.name for column in query.columns]


def test_groups_below_the_minimum_are_left_out_and_some_are(expected) -> None:
    loose = {
        "audience_overlap": "SELECT DISTINCT segment FROM crm SEMI JOIN customers USING (who)",
        "reach_and_frequency": "SELECT DISTINCT campaign_id FROM exposures SEMI JOIN customers USING (who)",
        "coupon_conversion": "SELECT DISTINCT campaign_id, channel FROM exposures "
        "SEMI JOIN redemptions USING (who, campaign_id)",
    }
    everything = truth.expected(W46, queries=loose)
    for query in collaboration().queries:
        assert min(row[query.group_size] for row in expected[query.name]) >= query.minimum_group
        if query.name in everything:
            assert 3 <= len(expected[query.name]) < len(everything[query.name])


def test_the_biggest_campaign_of_the_week_reaches_most(expected) -> None:
    reach = {row["campaign_id"]: row["reach"] for row in expected["reach_and_frequency"]}
    assert max(reach, key=reach.__getitem__) == 18
    assert all(row["impressions"] >= row["reach"] for row in expected["reach_and_frequency"])


def test_exposed_and_unexposed_households_are_all_matched_households(expected) -> None:
    cohorts = {row["exposure"]: row["cohort_households"] for row in expected["sales_lift"]}
    households = {"matched": "SELECT count(DISTINCT who) AS n FROM crm SEMI JOIN customers USING (who)"}
    matched = truth.expected(W46, queries=households)["matched"]
    assert set(cohorts) == {"exposed", "unexposed"}
    assert sum(cohorts.values()) == matched[0]["n"]


def test_exposed_households_spend_more_on_groceries(expected) -> None:
    lift = {(row["department"], row["exposure"]): row for row in expected["sales_lift"]}
    exposed, unexposed = lift["GROCERY", "exposed"], lift["GROCERY", "unexposed"]
    assert exposed["sales_per_household"] > unexposed["sales_per_household"] > 0
    assert isinstance(exposed["sales"], Decimal)
    assert exposed["sales_per_household"] == float(exposed["sales"]) / exposed["cohort_households"]


def test_another_week_has_another_truth(expected) -> None:
    assert truth.expected(date(2017, 11, 6)) != expected
