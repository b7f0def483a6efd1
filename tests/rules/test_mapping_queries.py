"""ID mapping tables: they join, and their protected columns do nothing else."""

from __future__ import annotations

import pytest

from cleanrooms.rules import check
from tests.rules.support import OURS, TABLES, table

MAPPING = table(
    "mapping",
    {"our_id": "string", "their_id": "string"},
    "ID_MAPPING_TABLE",
    {
        "joinColumns": ["our_id", "their_id"],
        "queryConstraints": [{"requireOverlap": {"columns": ["our_id", "their_id"]}}],
        "dimensionColumns": [],
    },
)
JOINED = "FROM open_people o JOIN mapping m ON m.our_id = o.person JOIN people p ON m.their_id = p.person"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT o.city FROM mapping m LEFT JOIN open_people o ON m.our_id = o.person "
         "JOIN people p ON m.their_id = p.person", "IDMT_SIDE"),
        ("SELECT o.city FROM open_people o RIGHT JOIN mapping m ON m.our_id = o.person "
         "JOIN people p ON m.their_id = p.person", "IDMT_SIDE"),
        ("SELECT o.city FROM open_people o JOIN mapping m ON m.our_id = o.person "
         "LEFT JOIN people p ON m.their_id = p.person", "IDMT_SIDE"),
        ("SELECT o.city FROM open_people o JOIN mapping m ON m.our_id = o.person", "IDMT_OVERLAP"),
        ("SELECT o.city FROM open_people o JOIN mapping m ON m.our_id = o.person "
         "JOIN people p ON m.their_id = p.person OR TRUE", "IDMT_OVERLAP"),
        (f"SELECT m.our_id {JOINED}", "IDMT_COLUMN"),
        (f"SELECT m.* {JOINED}", "IDMT_COLUMN"),
        (f"SELECT COUNT(m.our_id) {JOINED}", "IDMT_COLUMN"),
        (f"SELECT o.city {JOINED} WHERE m.our_id = 'a'", "IDMT_COLUMN"),
        (f"SELECT o.city {JOINED} AND m.our_id = 'a'", "IDMT_COLUMN"),
        (f"SELECT o.city {JOINED} ORDER BY m.our_id", "IDMT_COLUMN"),
        ("SELECT x.our_id FROM (SELECT * FROM mapping) x", "IDMT_OVERLAP"),
        (f"SELECT (SELECT m.our_id) {JOINED}", "IDMT_COLUMN"),
        (f"SELECT (SELECT MAX(z.city) FROM people z WHERE z.person = m.their_id) {JOINED}", "IDMT_COLUMN"),
        (f"SELECT o.city {JOINED} WHERE EXISTS (SELECT 1 FROM people z WHERE m.our_id = 'a')", "IDMT_COLUMN"),
        (f"SELECT o.city {JOINED} AND EXISTS (SELECT 1 FROM people z WHERE m.our_id = 'a')", "IDMT_COLUMN"),
        ("SELECT COUNT(*) FROM mapping m JOIN mapping n ON m.our_id = n.our_id AND m.their_id = n.their_id",
         "IDMT_OVERLAP"),
        ("SELECT COUNT(*) FROM open_people o JOIN mapping m ON m.our_id = o.person "
         "JOIN (VALUES ('a')) v(id) ON m.their_id = v.id", "IDMT_OVERLAP"),
        ("SELECT COUNT(*) FROM open_people o JOIN mapping m ON m.our_id = o.person "
         "JOIN (SELECT 'a' AS id FROM people) p ON m.their_id = p.id", "IDMT_OVERLAP"),
        ("SELECT COUNT(*) FROM open_people o JOIN mapping m ON m.our_id = o.person JOIN (SELECT person FROM people "
         "UNION SELECT 'a') p ON m.their_id = p.person", "IDMT_OVERLAP"),
        ("SELECT COUNT(*) FROM open_people o JOIN mapping m ON m.our_id = o.person JOIN (SELECT CASE WHEN "
         "city = 'x' THEN 'a' ELSE person END AS id FROM people) p ON m.their_id = p.id", "IDMT_OVERLAP"),
        ("SELECT COUNT(*) FROM open_people o CROSS JOIN people p LEFT ANTI JOIN mapping m ON m.our_id = o.person "
         "AND m.their_id = p.person", "IDMT_SIDE"),
        ("SELECT COUNT(*) FROM open_people o CROSS JOIN people p LEFT SEMI JOIN mapping m ON m.our_id = o.person "
         "AND m.their_id = p.person", "IDMT_SIDE"),
    ],
)  # fmt: skip
def test_mapping_tables_only_join(text, code):
    verdict = check(text, {**TABLES, "mapping": MAPPING}, runner=OURS)
    assert code in {violation.code for violation in verdict.violations}


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT o.city {JOINED}",
        "SELECT o.city FROM mapping m JOIN (SELECT person AS id, city FROM open_people) o ON m.our_id = o.id "
        "RIGHT OUTER JOIN people p ON m.their_id = p.person",
        "SELECT o.city FROM open_people o LEFT OUTER JOIN mapping m ON m.our_id = o.person "
        "JOIN (SELECT person FROM people UNION ALL SELECT person FROM open_people) p ON m.their_id = p.person",
    ],
)
def test_a_mapping_table_between_its_two_sides_is_accepted(text):
    assert check(text, {**TABLES, "mapping": MAPPING}, runner=OURS).accepted
