"""Custom rules: authorisation, disallowed output columns, comparison controls."""

from __future__ import annotations

import pytest

from cleanrooms.rules import Template, check
from tests.rules.support import OURS, PARTNER, PEOPLE, TABLES, accepted, codes, custom, judge, table

ARN = "arn:aws:cleanrooms:us-east-1:444455556666:membership/m/analysistemplate/t"


def _with(rule: dict, **call):
    tables = {"one": table("one", PEOPLE, "CUSTOM", rule, PARTNER)}
    verdict = check(call.pop("sql", None), tables, runner=OURS, **call)
    return {violation.code for violation in verdict.violations}


def test_a_listed_template_may_run():
    template = Template(ARN, PARTNER, "SELECT COUNT(*) AS n FROM one")
    assert _with({"allowedAnalyses": [ARN]}, template=template) == set()


def test_the_same_text_as_a_direct_query_may_not_run():
    assert _with({"allowedAnalyses": [ARN]}, sql="SELECT COUNT(*) AS n FROM one") == {"CUSTOM_NOT_ALLOWED"}


def test_a_template_counts_by_its_creator_not_by_who_runs_it():
    template = Template(ARN, PARTNER, "SELECT COUNT(*) AS n FROM one")
    assert _with(custom(), template=template) == {"CUSTOM_NOT_ALLOWED"}


def test_every_table_must_allow_the_analysis_also_in_an_unused_cte():
    tables = {**TABLES, "shut": table("shut", PEOPLE, "CUSTOM", {"allowedAnalyses": []}, PARTNER)}
    verdict = check("WITH x AS (SELECT * FROM shut) SELECT city FROM people", tables, runner=OURS)
    assert [violation.code for violation in verdict.violations] == ["CUSTOM_NOT_ALLOWED"]


def test_the_lift_query_of_the_example_is_accepted():
    accepted(
        "WITH exposed AS (SELECT person, MAX(cost) AS spent FROM people GROUP BY person), "
        "marked AS (SELECT o.person, o.city, CASE WHEN e.person IS NULL THEN 'no' ELSE 'yes' END AS seen "
        "FROM open_people o LEFT JOIN exposed e ON o.person = e.person) "
        "SELECT seen, city, COUNT(DISTINCT person) AS people FROM marked GROUP BY seen, city "
        "HAVING COUNT(DISTINCT person) >= 10 ORDER BY people DESC NULLS LAST LIMIT 50"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT secret FROM people",
        "SELECT * FROM people",
        "SELECT p.* FROM people p",
        "SELECT UPPER(secret) AS city FROM people",
        "SELECT COUNT(secret) FROM people",
        "SELECT city, secret IS NULL FROM people",
        "SELECT x FROM (SELECT secret AS x FROM people) y",
        "SELECT b FROM (SELECT city, secret FROM people) y(a, b)",
        "WITH y(a, b) AS (SELECT city, secret FROM people) SELECT b FROM y",
        "WITH a AS (SELECT secret AS s FROM people), b AS (SELECT s || 'x' AS city FROM a) SELECT city FROM b",
        "SELECT city FROM people UNION SELECT secret FROM people",
        "SELECT city FROM people EXCEPT SELECT secret FROM people",
        "SELECT w FROM people LATERAL VIEW EXPLODE(ARRAY(secret)) t AS w",
        "SELECT ROW_NUMBER() OVER (PARTITION BY secret ORDER BY city) FROM people",
        "SELECT ROW_NUMBER() OVER (ORDER BY secret) FROM people",
        "SELECT city IN (SELECT secret FROM people) FROM open_people",
        "SELECT (SELECT MAX(secret) FROM people) FROM open_people",
        "SELECT (SELECT COUNT(*) FROM people WHERE secret = 'a') FROM open_people",
        "SELECT EXISTS (SELECT 1 FROM people p WHERE p.secret = o.city) FROM open_people o",
        "SELECT (SELECT p.secret) FROM people p",
        "SELECT secret FROM people JOIN (SELECT secret FROM open_people) o USING (secret)",
        "SELECT TO_JSON(STRUCT(p.*)) FROM people p",
        "SELECT NAMED_STRUCT('a', secret).a FROM people",
        "SELECT TRANSFORM(ARRAY(1), x -> secret) FROM people",
        "SELECT city FROM (SELECT secret AS city FROM people) people",
        "CACHE TABLE c AS SELECT city FROM people WHERE secret = 'a'; SELECT city FROM c",
    ],
)
def test_a_disallowed_column_reaches_no_output(text):
    assert "DISALLOWED_OUTPUT" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT city FROM people WHERE secret = 'a' ORDER BY secret",
        "SELECT p.city FROM people p JOIN open_people o ON p.secret = o.secret",
        "SELECT o.secret FROM people p JOIN open_people o ON p.person = o.person",
        "SELECT city FROM (SELECT city, secret FROM people) x",
        "SELECT city FROM people p WHERE EXISTS (SELECT 1 FROM open_people o WHERE o.secret = p.secret)",
        "SELECT * EXCEPT (secret) FROM people",
        "SELECT city, COUNT(*) AS n FROM people GROUP BY city, secret",
        "WITH secret AS (SELECT city FROM people) SELECT * FROM secret",
    ],
)
def test_a_disallowed_column_may_filter_join_and_sort(text):
    accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT my_function(city) FROM people",
        "SELECT REFLECT('java.lang.System', 'getenv') FROM people",
        "SELECT CURRENT_USER() FROM people",
        "SELECT city, COUNT(*) FROM people GROUP BY ALL",
        "SELECT city FROM people QUALIFY ROW_NUMBER() OVER (ORDER BY city) = 1",
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT city FROM people, r",
        "SELECT * REPLACE (secret AS city) FROM people",
    ],
)
def test_sql_that_is_not_understood_is_refused(text):
    assert codes(text) == {"SQL_SURFACE"} or not judge(text).accepted


@pytest.mark.parametrize(
    "condition",
    [
        "person = 'p1'",
        "'p1' = person",
        "person <> 'p1'",
        "person IN ('p1')",
        "person BETWEEN 'p1' AND 'p1'",
        "person LIKE 'p1'",
        "person RLIKE 'p1'",
        "UPPER(person) = 'P1'",
        "person || '' = 'p1'",
        "person IS DISTINCT FROM 'p1'",
        "CASE WHEN person = 'p1' THEN 1 ELSE 0 END = 1",
        "CASE person WHEN 'p1' THEN 1 ELSE 0 END = 1",
        "NULLIF(person, 'p1') IS NULL",
        "CONTAINS(person, 'p1')",
        "STARTSWITH(person, 'p1')",
        "INSTR(person, 'p1') > 0",
        "ARRAY_CONTAINS(ARRAY('p1'), person)",
        "FIND_IN_SET(person, 'p1') > 0",
        "GREATEST(person, 'p1') = person",
        "LENGTH(REPLACE(person, 'p1', '')) = 0",
        "HASH(person) % 2 = 0",
        "CAST(person AS BOOLEAN)",
        "1 / (ASCII(person) - 1) IS NULL",
        "person IN (SELECT v.a FROM (VALUES ('p1')) v(a))",
        "person = (SELECT 'p1')",
        "secret = 'a'",
    ],
)
def test_comparisons_with_literals_are_found_in_every_dress(condition):
    text = f"SELECT city, COUNT(DISTINCT person) AS n FROM compared WHERE {condition} GROUP BY city"
    assert "LITERAL_COMPARISON" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(city) FROM (SELECT city, person AS p FROM compared) x WHERE p = 'p1'",
        "WITH x(a, b) AS (SELECT city, person FROM compared) SELECT a, COUNT(*) FROM x WHERE b = 'p1' GROUP BY a",
        "SELECT COUNT(c.city) FROM compared c JOIN (VALUES ('p1')) v(id) ON c.person = v.id",
        "SELECT COUNT(c.city) FROM compared c JOIN (VALUES ('p1')) v(person) USING (person)",
        "SELECT COUNT(c.city) FROM compared c JOIN (SELECT 'p1' AS id) v ON c.person = v.id",
        "SELECT city, COUNT(*) FROM compared GROUP BY city HAVING MAX(person) = 'p1'",
        "SELECT city, COUNT_IF(person = 'p1') FROM compared GROUP BY city",
        "SELECT city, COUNT(*) FROM compared GROUP BY city, person = 'p1'",
    ],
)
def test_comparisons_with_literals_are_followed_through_aliases(text):
    assert "LITERAL_COMPARISON" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(DISTINCT c.person) FROM compared c JOIN open_people o ON c.secret = o.secret",
        "SELECT COUNT(DISTINCT c.person) FROM compared c JOIN (SELECT secret FROM open_people) o USING (secret)",
        "SELECT COUNT(DISTINCT person) FROM compared WHERE secret = city",
        "SELECT secret, COUNT(DISTINCT person) FROM compared GROUP BY secret",
        "SELECT secret, COUNT(DISTINCT person) FROM compared GROUP BY 1",
        "SELECT DISTINCT secret FROM compared",
        "SELECT COUNT(person) OVER (PARTITION BY secret) FROM compared",
        "SELECT secret FROM compared UNION SELECT secret FROM open_people",
    ],
)
def test_comparisons_with_columns_are_found(text):
    assert "COLUMN_COMPARISON" in codes(text)


def test_listed_columns_may_be_compared_and_counts_with_numbers():
    accepted(
        "SELECT c.city, COUNT(DISTINCT c.person) AS n FROM compared c JOIN open_people o ON c.person = o.person "
        "WHERE c.city = 'Ulm' AND c.secret IS NOT NULL GROUP BY c.city HAVING COUNT(DISTINCT c.person) > 5"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("WITH a AS (WITH b AS (SELECT city FROM people) SELECT city FROM b) SELECT city FROM a", "CTE"),
        ("WITH a AS (SELECT city FROM people), A AS (SELECT day FROM people) SELECT * FROM a", "PARSE"),
        ("SELECT city FROM open_people LIMIT -1", "LIMIT"),
        ("SELECT city FROM open_people LIMIT 2 OFFSET 'x'", "LIMIT"),
        ("SELECT city FROM open_people ORDER BY 'x'", "SQL_SURFACE"),
        ("SELECT RANK() OVER (PARTITION BY 'x' ORDER BY city) AS r FROM open_people", "SQL_SURFACE"),
        ("SELECT city AS ctid FROM open_people", "PARSE"),
        ("SELECT svl_p.city FROM open_people svl_p", "PARSE"),
    ],
)
def test_what_the_sql_reference_excludes_is_refused(text, code):
    assert code in codes(text)


def test_a_nested_with_is_still_judged():
    query = "WITH a AS (WITH b AS (SELECT nope FROM people) SELECT nope FROM b) SELECT nope FROM a"
    assert codes(query) == {"CTE", "COLUMN_UNKNOWN"}
