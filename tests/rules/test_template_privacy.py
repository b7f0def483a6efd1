"""Templates are compared with the structure of differential privacy when they are created."""

from __future__ import annotations

import pytest

from cleanrooms.rules import validate_template
from tests.rules.support import TABLES


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("SELECT city, COUNT(DISTINCT person) FROM private WHERE day > :since GROUP BY city", "VALID"),
        ("WITH c AS (SELECT person, cost FROM private) SELECT SUM(cost) FROM c", "VALID"),
        ("WITH c AS (SELECT city FROM private) SELECT COUNT(*) FROM c", "INVALID"),
        (
            "WITH c AS (SELECT MIN(person) AS person, city FROM private GROUP BY city) SELECT COUNT(*) FROM c",
            "INVALID",
        ),
        ("SELECT city, MAX(cost) FROM private GROUP BY city", "INVALID"),
        ("SELECT city FROM private", "INVALID"),
        ("SELECT * FROM private PIVOT (SUM(cost) FOR city IN ('Ulm'))", "INVALID"),
        ("SELECT nothing FROM private", "UNABLE_TO_VALIDATE"),
        ("SELECT COUNT(*) FROM nowhere", "UNABLE_TO_VALIDATE"),
        ("SELECT COUNT(*) FROM", "UNABLE_TO_VALIDATE"),
    ],
)
def test_the_user_columns_of_private_tables_count(text, status):
    found = validate_template(text, TABLES)
    assert found.status == status
    assert bool(found.reasons) == (status != "VALID")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        # Whether city is a user column or cost is, nobody knows yet.
        ("WITH c AS (SELECT city FROM open_people) SELECT COUNT(*) FROM c", "VALID"),
        ("SELECT COUNT(*) FROM open_people a JOIN people b ON a.city = b.city", "VALID"),
        ("SELECT COUNT(*) FROM open_people a JOIN people b USING (person)", "INVALID"),
        ("SELECT city, COUNT(*) FROM open_people GROUP BY ROLLUP (city)", "INVALID"),
        ("SELECT person, cost FROM open_people", "INVALID"),
        ("WITH c AS (SELECT person FROM open_people LIMIT 5) SELECT COUNT(*) FROM c", "INVALID"),
    ],
)
def test_without_private_tables_only_what_no_user_column_mends_is_invalid(text, status):
    assert validate_template(text, TABLES).status == status
