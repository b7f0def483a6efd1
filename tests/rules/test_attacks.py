"""Generated attacks: what is accepted runs on known rows, and nothing protected comes out."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rules.attacks import HARMLESS, KINDS, LEAKED, attack, database

EXAMPLES = 400
AT_LEAST = EXAMPLES // 10
"""Per kind of rule; the share of queries that are accepted and run keeps the test from proving nothing."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_accepted_query_leaks(kind):
    connection = database(kind)
    ends: list[str] = []

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
        ends.append(outcome.end)
        assert outcome.end != LEAKED, outcome.leak

    run()
    assert ends.count(HARMLESS) >= AT_LEAST


def _texts(kind: str) -> str:
    return " ".join(KINDS[kind].writer(Random(seed)).text() for seed in range(3000))


CONSTRUCTS = {
    "thresholds": [
        "EXISTS (", "UNION", "LATERAL VIEW", "VALUES", "OVER (", "CASE WHEN", "USING", "CACHE TABLE", "/*",
        "\u212aey", "WITH c (s", ") t (s", "* EXCEPT", "NAMED_STRUCT", "a.note AS s", "MD5(", "UNION SELECT",
        "VALUES ((SELECT", "COLUMNS('", ".LCASE()", "a -> a.", "main.a_table.", "EXTRACT(`day", "AS y, y FROM",
        "identity_1_of_", "AS x FROM b_table WHERE FALSE",
    ],
    "private": [
        "COUNT(DISTINCT a.key)", "GROUP BY a.key", "PARTITION BY a.key", "(key, segment, region, amount) AS",
        "(segment, key, region, amount) AS", "CASE WHEN a.key IS NULL", "MD5(a.key)", "CONCAT(a.region, a.key)",
        "MAX(a.key)", "STRUCT(a.key AS f)", "UNION", "EXCEPT", "INTERSECT", "LEFT SEMI JOIN", "FULL JOIN",
        "IN (SELECT key FROM c_table", "(SELECT SUM(a.amount) FROM c_table z)", "HAVING EXISTS", "EVERY(", "OVER ()",
        "CACHE TABLE", "FROM b_table ORDER BY amount LIMIT 1)",
    ],
    "mapping": [
        "links m RIGHT JOIN", "LEFT JOIN links m", "ANTI JOIN links", "(SELECT m.", "CASE WHEN m.", "ARRAY(m.",
        "STRUCT(m.", "MD5(m.", "OVER (PARTITION BY m.", "COUNT(DISTINCT m.", "EXISTS (SELECT 1 FROM links",
        "IN (SELECT source_id FROM links", "VALUES ('PROT-t1')", "USING (target_id)", "links m JOIN links n",
        "WITH links (", "UNION ALL", "ORDER BY m.",
    ],
    "mixed": [
        "a_table", "b_table", "c_table", "FILTER (WHERE", "VALUES", "FULL JOIN", "c.note = 'PROT-n1'", "ASCII(",
        "CASE b.key WHEN", "UNION", "WITH c_table AS", "CACHE TABLE", "HAVING MAX(c.note)",
    ],
    "types": ["FROM a_table", "FROM b_table", "JOIN c_table", "JOIN d_table", "WITH unused"],
}  # fmt: skip


@pytest.mark.parametrize("kind", CONSTRUCTS)
def test_the_attackers_write_what_they_should(kind):
    texts = _texts(kind)
    assert [construct for construct in CONSTRUCTS[kind] if construct not in texts] == []
