"""Differential privacy: the structure of queries, what may come out as a group, the budget."""

from __future__ import annotations

import pytest

from cleanrooms.rules import Submission
from tests.rules.support import accepted, codes, judge


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT city FROM private", "DP_SHAPE"),
        ("SELECT city, COUNT(*) FROM private GROUP BY CUBE (city)", "DP_SHAPE"),
        ("SELECT COUNT(*) FROM private UNION ALL SELECT COUNT(*) FROM private", "DP_SHAPE"),
        ("SELECT MAX(cost) FROM private", "DP_AGGREGATE"),
        ("SELECT city, COUNT(*) FROM private GROUP BY city HAVING MAX(cost) > 1", "DP_AGGREGATE"),
        ("WITH c AS (SELECT city, cost FROM private) SELECT SUM(cost) FROM c", "DP_USER_ID"),
        (
            "WITH c AS (SELECT UPPER(person) AS person, cost FROM private) SELECT SUM(cost) FROM c",
            "DP_USER_ID",
        ),
        ("WITH c AS (SELECT person FROM private LIMIT 5) SELECT COUNT(person) FROM c", "DP_SHAPE"),
        ("SELECT COUNT(*) FROM private a JOIN private b ON a.city = b.city", "DP_JOIN"),
        (
            "SELECT COUNT(*) FROM private a JOIN private b ON a.person = b.person OR a.city = b.city",
            "DP_JOIN",
        ),
        ("SELECT COUNT(*) FROM private, private b", "DP_JOIN"),
        ("SELECT COUNT(*) FROM private WHERE city IN (SELECT city FROM private)", "DP_SUBQUERY"),
        ("SELECT COUNT(*) FROM private WHERE SIZE(ARRAY(city)) > 0", "DP_FUNCTION"),
        ("SELECT city, COUNT(*) FROM private GROUP BY city ORDER BY SUM(SUM(cost)) OVER ()", "DP_SHAPE"),
        ("SELECT COUNT(*) FROM private p JOIN counted c ON p.person = c.person", "DP_SHAPE"),
        ("WITH c AS (SELECT a.person, COUNT(*) AS n FROM private a RIGHT JOIN private b ON a.person = b.person "
         "AND a.cost > 3 GROUP BY a.person) SELECT n, COUNT(*) FROM c GROUP BY n", "DP_USER_ID"),
        ("WITH c AS (SELECT p.person, COUNT(*) AS n FROM open_people o LEFT JOIN private p ON o.person = p.person "
         "GROUP BY p.person) SELECT n, COUNT(*) FROM c GROUP BY n", "DP_USER_ID"),
        ("WITH c AS (SELECT a.person FROM private a FULL JOIN private b ON a.person = b.person), "
         "d AS (SELECT person, COUNT(*) AS n FROM c GROUP BY person) SELECT n, COUNT(*) FROM d GROUP BY n",
         "DP_USER_ID"),
        ("WITH c AS (SELECT b.person, COUNT(*) OVER (PARTITION BY a.person) AS n FROM private a RIGHT JOIN private b "
         "ON a.person = b.person) SELECT n, COUNT(*) FROM c GROUP BY n", "DP_WINDOW"),
        (
            "SELECT city, COUNT(*) FROM private GROUP BY city HAVING RANK() OVER (ORDER BY city) = 1",
            "DP_SHAPE",
        ),
    ],
)  # fmt: skip
def test_structure_of_differentially_private_queries(text, code):
    assert code in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT person, COUNT(*) FROM private GROUP BY person",
        "SELECT person, COUNT(*) FROM private GROUP BY 1",
        "SELECT COUNT(*) FROM private GROUP BY person",
        "SELECT o.person, COUNT(*) FROM open_people o JOIN private p ON o.person = p.person GROUP BY o.person",
        "SELECT UPPER(o.person) AS k, COUNT(*) FROM open_people o, private p WHERE (p.person) = o.person GROUP BY k",
        "SELECT o.person, COUNT(*) FROM open_people o JOIN private p ON o.person <=> p.person GROUP BY o.person",
        "SELECT o.person, COUNT(*) FROM open_people o JOIN private p ON CONCAT(o.person, '') = p.person "
        "GROUP BY o.person",
        "SELECT o.person, COUNT(*) FROM open_people o, private p WHERE NOT (p.person <> o.person) GROUP BY o.person",
        "SELECT o.person, COUNT(*) FROM open_people o, private p WHERE p.person IN (o.person, 'x') GROUP BY o.person",
        "SELECT b.person, COUNT(*) FROM private p JOIN open_people a ON a.person = p.person "
        "JOIN open_people b ON b.person = a.person GROUP BY b.person",
        "WITH j AS (SELECT p.person, o.person AS k FROM open_people o JOIN private p ON o.person = p.person) "
        "SELECT k, COUNT(*) FROM j GROUP BY k",
        "SELECT MD5(person) AS h, COUNT(*) FROM private GROUP BY h",
        "SELECT CASE WHEN cost > 3 THEN person ELSE 'x' END AS p, COUNT(*) FROM private GROUP BY p",
        "SELECT CONCAT(city, person) AS p, COUNT(*) FROM private GROUP BY p",
        "SELECT city, COUNT(*) FROM (SELECT person, person AS city FROM private) x GROUP BY city",
        "WITH x (city, person) AS (SELECT person, person FROM private) SELECT city, COUNT(*) FROM x GROUP BY city",
        "WITH x AS (SELECT person, MAX(person) AS m FROM private GROUP BY person) SELECT m, COUNT(*) FROM x GROUP BY m",
    ],
)
def test_the_user_column_of_a_private_table_does_not_come_out_as_a_group(text):
    assert codes(text) == {"DP_USER_ID"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT city, cost, COUNT(*) FROM private GROUP BY city",
        "SELECT COUNT(*) + cost FROM private",
        "SELECT city, COUNT(*), EVERY(cost > 3) FROM private GROUP BY city",
        "SELECT city, COUNT(*), HLL_SKETCH_AGG(cost) FROM private GROUP BY city",
        "SELECT city, COUNT(*), (SELECT MAX(p.cost)) FROM private p GROUP BY city",
        "SELECT city, COUNT(*), (SELECT SUM(p.cost) FROM open_people o) FROM private p GROUP BY city",
        "SELECT city, COUNT(*) FROM private p GROUP BY city HAVING EXISTS "
        "(SELECT 1 FROM open_people o WHERE o.cost > MAX(p.cost))",
        "SELECT COUNT(*) FROM private p HAVING (SELECT MAX(p.cost)) > 3",
        "SELECT city, COUNT(*) FROM private p GROUP BY city ORDER BY (SELECT MAX(p.cost))",
        "SELECT city, COUNT(*) FROM private GROUP BY city ORDER BY cost",
        "SELECT city, COUNT(*) FROM private GROUP BY city HAVING cost > 3",
    ],
)
def test_what_noise_does_not_reach_in_the_final_select_is_grouped(text):
    assert codes(text) == {"DP_SHAPE"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT UPPER(city) || '-' || city AS c, COUNT(*) * 2 AS n FROM private GROUP BY city ORDER BY c, n",
        "SELECT UPPER(city) AS c, COUNT(*) FROM private GROUP BY c HAVING (UPPER(city)) > 'A' ORDER BY UPPER(city)",
        "SELECT p.city, COUNT(*), (SELECT MAX(o.cost) FROM open_people o WHERE o.city = p.city) "
        "FROM private p GROUP BY p.city",
        "SELECT person IS NULL AS unknown, COUNT(*) FROM private GROUP BY unknown",
        "SELECT CASE WHEN p.person IS NULL THEN 'no' ELSE 'yes' END AS seen, COUNT(DISTINCT o.person) "
        "FROM open_people o LEFT JOIN private p ON o.person = p.person GROUP BY seen",
        "SELECT o.city, COUNT(*) FROM open_people o JOIN private p ON o.person = p.person GROUP BY o.city",
        "WITH c AS (SELECT b.person, a.city FROM private a RIGHT JOIN private b ON a.person = b.person "
        "LEFT JOIN open_people o ON o.person = b.person) SELECT city, COUNT(DISTINCT person) FROM c GROUP BY city",
        "SELECT a.city, COUNT(*) FROM private a FULL JOIN private b ON a.person = b.person GROUP BY a.city",
    ],
)
def test_groups_may_be_any_expression_that_does_not_show_the_user(text):
    accepted(text)


def test_user_level_queries_may_be_combined_before_the_aggregate():
    accepted(
        "WITH a AS (SELECT person, city FROM private UNION SELECT person, city FROM private), "
        "b AS (SELECT person, COUNT(city) AS n FROM a GROUP BY person) "
        "SELECT n, COUNT(DISTINCT person) AS people FROM b GROUP BY n ORDER BY n LIMIT 5"
    )


def test_a_spent_privacy_budget_refuses_in_the_services_words():
    verdict = judge("SELECT COUNT(*) AS n FROM private", submission_facts=Submission(privacy_remaining=0))
    assert verdict.violations[0].message.startswith("You do not have enough aggregations remaining")
