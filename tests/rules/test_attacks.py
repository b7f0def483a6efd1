"""Generated attacks: what is accepted runs on known rows, and nothing protected comes out."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rules.attacks import Attacker, attack, database

EXAMPLES = 400
"""Per kind of rule; the share of accepted queries keeps the test from proving nothing."""


@pytest.mark.parametrize(
    ("kind", "at_least"), [("aggregation", 10), ("list", 4), ("disallowed", 10), ("thresholds", 40)]
)
def test_no_accepted_query_leaks(kind, at_least):
    connection = database()
    outcomes: list[str | None] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32))
    def run(seed):
        outcome = attack(Random(seed), kind, connection)
        outcomes.append(outcome)
        assert not outcome

    run()
    assert sum(outcome == "" for outcome in outcomes) >= at_least


def test_the_attacker_writes_what_it_should():
    texts = " ".join(Attacker(Random(seed), "thresholds").text() for seed in range(2000))
    for construct in (
        "EXISTS (",
        "UNION",
        "LATERAL VIEW",
        "VALUES",
        "OVER (",
        "CASE WHEN",
        "USING",
        "CACHE TABLE",
        "/*",
        "\u212aey",
        "WITH c (s",
        ") t (s",
        "* EXCEPT",
        "NAMED_STRUCT",
        "a.note AS s",
        "MD5(",
        "UNION SELECT",
    ):
        assert construct in texts
