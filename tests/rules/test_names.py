"""Names are resolved to columns before any rule is asked."""

from __future__ import annotations

import pytest

from cleanrooms.rules import check
from tests.rules.support import OURS, TABLES, accepted, codes, judge


def test_an_alias_does_not_change_the_column():
    assert codes("SELECT key AS segment, SUM(amount) FROM ours GROUP BY key") >= {"COLUMN_IN_SELECT"}


def test_columns_are_qualified_by_the_relation_they_belong_to():
    text = "SELECT segment, SUM(amount) AS s FROM ours o GROUP BY segment"
    assert accepted(text).startswith("SELECT o.segment, SUM(o.amount) AS s FROM ours AS o GROUP BY o.segment")


def test_an_ambiguous_column_is_refused():
    assert codes("SELECT city FROM people p JOIN open_people o ON p.person = o.person") == {"AMBIGUOUS"}


def test_two_relations_of_one_alias_are_refused():
    assert codes("SELECT x.city FROM people x, open_people x") == {"AMBIGUOUS"}


def test_a_repeated_name_of_a_derived_table_is_ambiguous():
    text = "SELECT x.city FROM (SELECT city, secret AS city FROM people) x"
    assert codes(text) == {"AMBIGUOUS"}


@pytest.mark.parametrize(
    "text", ["SELECT rowid FROM people", "SELECT p FROM people p", "SELECT p.x FROM people p"]
)
def test_columns_that_are_not_allowed_are_unknown(text):
    assert codes(text) == {"COLUMN_UNKNOWN"}


def test_names_are_compared_without_case():
    accepted("select SEGMENT, sum(AMOUNT) from OURS group by Segment")


@pytest.mark.parametrize("name", ["nowhere", "db.people", "db.sch.people"])
def test_only_associations_are_tables(name):
    assert codes(f"SELECT city FROM {name}") == {"TABLE_UNKNOWN"}


def test_a_cte_may_bear_a_tables_name_and_is_renamed_for_the_engine():
    text = "WITH people AS (SELECT city FROM people) SELECT city FROM people"
    assert "WITH people_1 AS (SELECT people.city FROM people)" in accepted(text)


def test_a_star_is_written_out_with_the_allowed_columns_only():
    assert accepted("SELECT * FROM open_people") == (
        "SELECT open_people.person, open_people.city, open_people.secret, open_people.cost, open_people.day "
        "FROM open_people"
    )


def test_a_natural_join_uses_allowed_columns_only():
    text = "SELECT COUNT(*) AS n FROM (SELECT city, person FROM people) a NATURAL JOIN (SELECT city FROM open_people) b"
    assert "USING (city)" in accepted(text)


def test_a_sort_key_prefers_the_result_column_and_becomes_its_position():
    text = "SELECT SUM(amount) AS key FROM ours GROUP BY segment ORDER BY key DESC"
    assert accepted(text).endswith("ORDER BY 1 DESC")


def test_an_alias_in_having_is_replaced_by_its_expression():
    text = "SELECT city, COUNT(person) AS n FROM people GROUP BY city HAVING n > 5"
    assert accepted(text).endswith("HAVING COUNT(people.person) > 5")


def test_a_column_captured_by_an_inner_alias_is_refused():
    # The engine would take u.secret for a column of the inner table.
    text = "SELECT (SELECT MAX(day) FROM open_people u) AS m, city FROM people u"
    accepted(text)
    hiding = {**TABLES, "inner_one": TABLES["open_people"].__class__("inner_one", OURS, {"x": "string"}, "CUSTOM",
              TABLES["open_people"].policy, TABLES["open_people"].association_rule)}  # fmt: skip
    verdict = check("SELECT (SELECT MAX(city) FROM inner_one u) AS m FROM people u", hiding, runner=OURS)
    assert {violation.code for violation in verdict.violations} == {"AMBIGUOUS"}


def test_row_counts_are_numbers():
    assert codes("SELECT city FROM people LIMIT (SELECT MAX(cost) FROM people)") == {"SQL_SURFACE"}


@pytest.mark.parametrize(
    "source",
    [
        "people TABLESAMPLE (1 ROWS)",
        "people PIVOT (COUNT(person) FOR city IN ('a'))",
        "people p JOIN LATERAL (SELECT p.secret) x",
        "(people)",
        "people AS p(a, b, c, d, e)",
        "RANGE(10)",
    ],
)
def test_items_of_from_that_are_not_understood_are_refused(source):
    assert not judge(f"SELECT COUNT(*) FROM people x, {source}").accepted


def test_unnamed_results_are_named_as_spark_names_them():
    verdict = judge("SELECT UPPER(segment), SUM(amount) FROM ours GROUP BY UPPER(segment)")
    assert verdict.output_columns == ("upper(segment)", "sum(amount)")
    assert "AS `sum(amount)`" in verdict.require()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT x.a FROM (SELECT city FROM people) x(a, b)",
        "WITH x(a, b) AS (SELECT city FROM people) SELECT a FROM x",
        "WITH x AS (SELECT city FROM people) SELECT y.a FROM x AS y(a, b)",
    ],
)
def test_an_alias_lists_as_many_columns_as_there_are(text):
    assert codes(text) == {"SQL_SURFACE"}


@pytest.mark.parametrize("size", [200, 2000])
def test_long_conditions_are_judged(size):
    conditions = " OR ".join(f"segment = 's{number}'" for number in range(size))
    listed = ", ".join(f"'s{number}'" for number in range(size))
    accepted(f"SELECT SUM(amount) AS s FROM ours WHERE {conditions} OR segment IN ({listed})")


def test_a_limited_leg_of_a_union_needs_brackets():
    assert codes("SELECT city FROM people LIMIT 1 UNION SELECT city FROM people") == {"SQL_SURFACE"}
    accepted("(SELECT city FROM people LIMIT 1) UNION SELECT city FROM people ORDER BY city LIMIT 5")
