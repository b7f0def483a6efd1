"""Minimum aggregation thresholds: what is accepted, refused, and what comes out of real rows."""

from __future__ import annotations

import pytest

from cleanrooms.rules import check
from cleanrooms.rules.sample_engine import run_on_rows
from tests.rules.support import (
    OURS,
    PARTNER,
    PEOPLE,
    TABLES,
    accepted,
    codes,
    custom,
    judge,
    table,
    threshold,
)

# Ulm has three people, Bonn two, Kiel one; the minimum is three.
ROWS = [
    [f"p{number}", city, f"s{number}", 16**number, "2026-01-01"]
    for number, city in enumerate(["Ulm", "Ulm", "Ulm", "Bonn", "Bonn", "Kiel"], start=2)
]
ROWS.append(["p2", "Ulm", "s2", 16, "2026-01-02"])
ROWS.append(["p7", "Kiel", "s7", 16, "2026-01-02"])


def rows(text: str, **tables) -> list[tuple]:
    """The rows that an accepted query returns, sorted."""
    sql = check(text, {**TABLES, **tables}, runner=OURS).require()
    physical = dict.fromkeys(("counted", "open_people", *tables), (PEOPLE, ROWS))
    return sorted(run_on_rows(sql, physical), key=repr)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT city, COUNT(*) AS n FROM counted GROUP BY city", [("Ulm", 4)]),
        ("SELECT city, COUNT(*) AS n FROM counted GROUP BY city HAVING COUNT(*) > 0 OR COUNT(*) < 9", [("Ulm", 4)]),
        ("SELECT COUNT(DISTINCT person) AS n FROM counted WHERE city = 'Kiel'", [(1,)]),
        ("SELECT SUM(cost) AS n FROM counted WHERE city = 'Kiel'", []),
        ("SELECT COUNT(*) AS n FROM counted HAVING MAX(cost) > 1", [(8,)]),
        ("SELECT city, person FROM counted", []),
        ("SELECT city, person FROM counted LIMIT 5", []),
        ("SELECT DISTINCT city FROM counted", [("Ulm",)]),
        (
            "WITH u AS (SELECT city, day FROM counted UNION SELECT city, day FROM counted) "
            "SELECT city, COUNT(*) AS n FROM u GROUP BY city",
            [("Ulm", 2)],
        ),
        (
            "WITH u (c) AS (SELECT city || '' FROM counted UNION SELECT city FROM counted UNION SELECT city "
            "FROM counted) SELECT c, COUNT(*) AS n FROM u GROUP BY c",
            [("Ulm", 1)],
        ),
        ("SELECT DISTINCT UPPER(city) AS c FROM counted ORDER BY c", [("ULM",)]),
        ("SELECT DISTINCT 'x' AS c FROM counted WHERE city = 'Bonn'", []),
        ("SELECT DISTINCT 'x' AS c FROM counted", [("x",)]),
        ("SELECT city FROM counted GROUP BY city UNION SELECT 'Berlin'", [("Berlin",), ("Ulm",)]),
        ("SELECT c.city, COUNT(*) AS n FROM (SELECT * FROM counted) c GROUP BY c.city", [("Ulm", 4)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted GROUP BY city) SELECT city, n FROM g", [("Ulm", 4)]),
        ("WITH g(a, b) AS (SELECT city, COUNT(*) FROM counted GROUP BY city) SELECT a, b FROM g", [("Ulm", 4)]),
        ("SELECT x.a FROM (SELECT city, COUNT(*) FROM counted GROUP BY city) x(a, b)", [("Ulm",)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted GROUP BY city) SELECT SUM(n) AS t FROM g", [(8,)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted WHERE city <> 'Ulm' GROUP BY city) "
         "SELECT SUM(n) AS t FROM g", [(4,)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted WHERE city = 'Bonn' GROUP BY city) "
         "SELECT SUM(n) AS t FROM g", []),
        ("WITH p AS (SELECT person, COUNT(*) AS n FROM counted GROUP BY person) "
         "SELECT n, COUNT(*) AS people FROM p GROUP BY n", [(1, 4)]),
        ("SELECT city, COUNT(*) AS n FROM (SELECT city, person FROM counted UNION ALL SELECT city, person "
         "FROM counted) u GROUP BY city", [("Ulm", 8)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted GROUP BY city) "
         "SELECT city, LAG(n) OVER (ORDER BY city) AS l, SUM(n) OVER () AS s FROM g", [("Ulm", None, 4)]),
        ("WITH g AS (SELECT city, COUNT(*) AS n FROM counted GROUP BY city), "
         "w AS (SELECT city, SUM(n) OVER () AS s FROM g) SELECT city, s FROM w", [("Ulm", 4)]),
        ("SELECT city, RANK() OVER (ORDER BY COUNT(*)) AS r FROM counted GROUP BY city", [("Ulm", 1)]),
        ("SELECT o.city, COUNT(DISTINCT c.person) AS n FROM open_people o LEFT JOIN counted c "
         "ON o.person = c.person AND c.city = 'Ulm' GROUP BY o.city", [("Ulm", 3)]),
        ("CACHE TABLE c AS SELECT city, person FROM counted; SELECT city, COUNT(*) AS n FROM c GROUP BY city",
         [("Ulm", 4)]),
        ("SELECT a.city, COUNT(*) AS n FROM counted a JOIN counted b ON a.person = b.person GROUP BY a.city",
         [("Ulm", 6)]),
        ("SELECT city, COUNT(*) AS n FROM (SELECT DISTINCT city, person FROM counted) d GROUP BY city",
         [("Ulm", 3)]),
        ("SELECT COUNT(*) AS n FROM (SELECT DISTINCT city FROM counted) d", [(3,)]),
        ("WITH r AS (SELECT city, person, ROW_NUMBER() OVER (PARTITION BY city ORDER BY cost) AS k FROM counted) "
         "SELECT city, COUNT(*) AS n FROM r WHERE k <= 2 GROUP BY city", []),
        ("WITH r AS (SELECT city, person, ROW_NUMBER() OVER (PARTITION BY person ORDER BY day) AS k FROM counted) "
         "SELECT city, COUNT(*) AS n FROM r WHERE k = 1 GROUP BY city", [("Ulm", 3)]),
    ],
)  # fmt: skip
def test_rows_stand_for_enough_people(text, expected):
    assert rows(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT v, COUNT(*) FROM (SELECT FIRST_VALUE(secret) OVER (ORDER BY cost) AS v FROM counted) x GROUP BY v",
        "SELECT v, COUNT(*) FROM (SELECT SUM(cost) OVER (ORDER BY cost) AS v FROM counted) x GROUP BY v",
        "SELECT v, COUNT(*) FROM (SELECT LAG(secret) OVER (ORDER BY cost) AS v FROM counted) x GROUP BY v",
        "SELECT city, (SELECT AVG(cost) FROM counted) AS s, COUNT(*) FROM counted GROUP BY city",
        "SELECT city FROM open_people WHERE person IN (SELECT person FROM counted WHERE city = 'Kiel')",
        "SELECT city, COLLECT_SET(person), COUNT(*) FROM counted GROUP BY city",
        "SELECT city, MIN(person), COUNT(*) FROM counted GROUP BY city",
        "SELECT city, COUNT(*) FROM (SELECT city, person FROM counted UNION SELECT city, person FROM counted "
        "LIMIT 3) u GROUP BY city",
        "SELECT city, MAX_BY(secret, cost), COUNT(*) FROM counted GROUP BY city",
        "SELECT city, FIRST(secret), COUNT(*) FROM counted GROUP BY city",
        "SELECT city, COUNT(*) FROM counted GROUP BY city ORDER BY city OFFSET 1",
        "SELECT city, COUNT(*) FROM counted c LEFT SEMI JOIN open_people o ON c.person = o.person GROUP BY city",
        "SELECT city, COUNT(*) FROM counted GROUP BY city, ROLLUP (day)",
        "SELECT c.city, COUNT(*) FROM counted c WHERE EXISTS (SELECT 1 FROM open_people) GROUP BY c.city",
    ],
)
def test_what_cannot_be_followed_is_refused(text):
    assert "SQL_SURFACE" in codes(text)


@pytest.mark.parametrize(
    "argument", ["cost * 2", "ROUND(cost)", "CASE WHEN city = 'Ulm' THEN cost END", "COALESCE(cost, 0)"]
)
def test_columns_only_refuses_expressions_inside_aggregates(argument):
    assert codes(f"SELECT city, SUM({argument}) FROM counted GROUP BY city") == {"AGG_EXPRESSION"}
    hidden = f"SELECT city, SUM(v) FROM (SELECT city, {argument} AS v FROM counted) x GROUP BY city"
    assert codes(hidden) == {"AGG_EXPRESSION"}


@pytest.mark.parametrize("aggregate", ["SUM(c.cost)", "COUNT(*)", "COUNT(DISTINCT c.person)", "SUM(o.cost)"])
def test_columns_only_refuses_a_filter_whichever_table_its_condition_is_about(aggregate):
    joined = "open_people o JOIN counted c ON o.person = c.person"
    text = f"SELECT o.city, {aggregate} FILTER (WHERE o.secret = 'a') AS n FROM {joined} GROUP BY o.city"
    assert codes(text) == {"AGG_EXPRESSION"}


def test_a_filter_on_tables_without_thresholds_is_accepted():
    accepted("SELECT city, SUM(cost) FILTER (WHERE secret = 'a') AS n FROM open_people GROUP BY city")


@pytest.mark.parametrize("argument", ["cost", "DISTINCT cost", "1", "(cost)"])
def test_columns_only_accepts_columns_and_constants(argument):
    accepted(f"SELECT city, SUM({argument}) AS s FROM counted GROUP BY city")


def test_standalone_maximum_needs_a_companion():
    assert codes("SELECT city, MAX(cost) FROM counted GROUP BY city") == {"AGG_STANDALONE"}
    accepted("SELECT city, MAX(cost) AS m, COUNT(*) AS n FROM counted GROUP BY city")


def test_a_companion_is_needed_in_the_final_select_only():
    accepted(
        "WITH g AS (SELECT city, MAX(day) AS m FROM counted GROUP BY city) "
        "SELECT city, m FROM g GROUP BY city, m"
    )


@pytest.mark.parametrize(
    "function", ["LAG(cost)", "LEAD(cost)", "MAX(cost)", "MIN(cost)", "PERCENTILE(cost, 0.5)"]
)
def test_a_window_that_hands_on_values_needs_a_companion(function):
    window = "OVER (PARTITION BY city ORDER BY day)"
    assert codes(f"SELECT city, {function} {window} FROM counted") == {"AGG_STANDALONE"}
    accepted(f"SELECT city, {function} {window} AS v, COUNT(*) {window} AS n FROM counted")


@pytest.mark.parametrize(
    "function", ["FIRST_VALUE(cost)", "LAST_VALUE(cost)", "NTILE(2)", "CUME_DIST()", "PERCENT_RANK()"]
)
def test_window_functions_off_the_list_are_refused(function):
    query = f"SELECT city, {function} OVER (PARTITION BY city ORDER BY day), COUNT(*) OVER () FROM counted"
    assert codes(query) == {"SQL_SURFACE"}


@pytest.mark.parametrize(
    "function", ["AES_ENCRYPT(city, 'k')", "HLL_SKETCH_AGG(city)", "HLL_UNION_AGG(city)"]
)
def test_encryption_and_sketches_are_refused(function):
    assert "SQL_SURFACE" in codes(f"SELECT {function}, COUNT(*) FROM counted GROUP BY city")


def test_a_windows_maximum_does_not_carry_one_persons_value_to_others():
    text = "SELECT v, COUNT(*) FROM (SELECT MAX(secret) OVER () AS v FROM counted) x GROUP BY v"
    assert codes(text) == {"SQL_SURFACE"}


def test_the_highest_minimum_among_the_output_columns_counts():
    overrides = [{"outputColumnName": "city", "minimumIdentityCount": 2}]
    loose = table(
        "loose", PEOPLE, "CUSTOM",
        custom(aggregationThresholds=threshold(outputColumnThresholds=overrides)), PARTNER,
    )  # fmt: skip
    assert rows("SELECT city, COUNT(*) AS n FROM loose GROUP BY city", loose=loose) == [
        ("Bonn", 2),
        ("Ulm", 4),
    ]
    assert [row[0] for row in rows("SELECT city, SUM(cost) AS n FROM loose GROUP BY city", loose=loose)] == [
        "Ulm"
    ]


def test_thresholds_of_two_tables_apply_together():
    strict = table("strict", PEOPLE, "CUSTOM", custom(aggregationThresholds=threshold(minimum=7)), PARTNER)
    verdict = check(
        "SELECT a.city, COUNT(*) AS n FROM counted a JOIN strict b ON a.person = b.person GROUP BY a.city",
        {**TABLES, "strict": strict}, runner=OURS,
    )  # fmt: skip
    sql = verdict.require().replace("`", "")
    assert sql.endswith("HAVING COUNT(DISTINCT a.person) >= 3 AND COUNT(DISTINCT b.person) >= 7")


def test_hidden_columns_do_not_reach_the_result():
    verdict = judge("WITH g AS (SELECT city, COUNT(*) AS n FROM counted GROUP BY city) SELECT * FROM g")
    assert verdict.output_columns == ("city", "n")
