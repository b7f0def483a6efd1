"""Aggregation and list queries, clause by clause, and the joins they have in common."""

from __future__ import annotations

import pytest

from tests.rules.support import accepted, codes, judge

JOINED = "FROM theirs t JOIN ours o ON t.key = o.key"
LISTED = "FROM their_list t JOIN our_list o ON t.key = o.key"


def test_the_weekly_overlap_query_is_accepted_with_both_constraints():
    text = (
        "SELECT t.segment, COUNT(DISTINCT t.key) AS households FROM ours t INNER JOIN theirs k ON t.key = k.key "
        "WHERE t.dt BETWEEN :week_start AND :week_end AND t.region = k.region GROUP BY t.segment"
    )
    constrained = accepted(text, parameters={"week_start": "2017-01-02", "week_end": "2017-01-08"})
    assert "BETWEEN '2017-01-02' AND '2017-01-08'" in constrained
    assert constrained.endswith("HAVING COUNT(DISTINCT t.key) >= 3 AND COUNT(DISTINCT k.key) >= 3")


def test_a_users_or_keeps_its_brackets_beside_the_constraints():
    text = "SELECT segment, SUM(amount) FROM ours GROUP BY segment HAVING SUM(amount) > 9 OR SUM(amount) < 9"
    assert "HAVING (SUM(ours.amount) > 9 OR SUM(ours.amount) < 9) AND COUNT(" in accepted(text)


def test_like_may_name_its_escape_character():
    accepted("SELECT SUM(amount) FROM ours WHERE segment NOT LIKE 'a!_%' ESCAPE '!'")
    assert codes("SELECT SUM(amount) FROM ours WHERE key LIKE 'a!_%' ESCAPE '!'") == {"COLUMN_IN_WHERE"}


def test_brackets_do_not_change_an_aggregates_column():
    accepted("SELECT SUM((amount)), COUNT(DISTINCT(key)) FROM ours")


def test_an_aggregate_without_groups_is_constrained_too():
    assert accepted("SELECT SUM(amount) AS s FROM ours").endswith("HAVING COUNT(DISTINCT ours.key) >= 3")


@pytest.mark.parametrize(
    ("select", "code"),
    [
        ("key, SUM(amount)", "COLUMN_IN_SELECT"),
        ("note, SUM(amount)", "COLUMN_IN_SELECT"),
        ("UPPER(key), SUM(amount)", "COLUMN_IN_SELECT"),
        ("*", "STAR"),
        ("COUNT(*)", "AGG_ARGUMENT"),
        ("COUNT(DISTINCT *)", "STAR"),
        ("COUNT(1)", "AGG_ARGUMENT"),
        ("SUM(amount + 1)", "AGG_ARGUMENT"),
        ("SUM(amount) FILTER (WHERE key = 'a')", "SELECT_SHAPE"),
        ("SUM(DISTINCT amount)", "AGG_FUNCTION"),
        ("AVG(amount)", "AGG_FUNCTION"),
        ("MAX(amount)", "AGG_FUNCTION"),
        ("COLLECT_LIST(key)", "AGG_FUNCTION"),
        ("SUM(amount) + 1", "SELECT_SHAPE"),
        ("segment || region, SUM(amount)", "SELECT_SHAPE"),
        ("ROUND(SUM(amount))", "SCALAR_NESTED"),
        ("UPPER(COALESCE(segment, 'x')), SUM(amount)", "SCALAR_NESTED"),
        ("NVL(segment, 'x'), SUM(amount)", "SCALAR_NOT_ALLOWED"),
        ("CASE WHEN key = 'a' THEN 1 END, SUM(amount)", "SCALAR_NOT_ALLOWED"),
        ("SUM(amount) OVER (PARTITION BY key)", "WINDOW"),
        ("(SELECT MAX(key) FROM ours), SUM(amount)", "SUBQUERY"),
        ("DISTINCT SUM(amount)", "SELECT_SHAPE"),
    ],
)
def test_select_of_an_aggregation_query(select, code):
    assert code in codes(f"SELECT {select} FROM ours GROUP BY segment, region")


@pytest.mark.parametrize(
    ("clause", "code"),
    [
        ("WHERE key = 'a'", "COLUMN_IN_WHERE"),
        ("WHERE amount > 1", "COLUMN_IN_WHERE"),
        ("WHERE NOT (segment = 'a' OR note = 'b')", "COLUMN_IN_WHERE"),
        ("WHERE segment RLIKE 'a'", "OPERATOR"),
        ("WHERE segment LIKE ANY ('a', 'b')", "OPERATOR"),
        ("WHERE segment IS NOT DISTINCT FROM 'a'", "OPERATOR"),
        ("WHERE (segment, region) IN (('a', 'b'))", "OPERATOR"),
        ("WHERE CASE WHEN key = 'a' THEN 1 ELSE 0 END = 1", "COLUMN_IN_WHERE"),
        ("WHERE key IN (SELECT key FROM theirs)", "SUBQUERY"),
        ("WHERE EXISTS (SELECT 1 FROM theirs t WHERE t.key = ours.key)", "SUBQUERY"),
        ("GROUP BY key", "COLUMN_IN_GROUP_BY"),
        ("GROUP BY 1", "GROUP_BY_SHAPE"),
        ("GROUP BY ALL", "GROUP_BY_SHAPE"),
        ("GROUP BY ROLLUP (segment)", "GROUP_BY_SHAPE"),
        ("GROUP BY segment WITH CUBE", "GROUP_BY_SHAPE"),
        ("HAVING SUM(amount) > '5'", "HAVING_SHAPE"),
        ("HAVING SUM(amount) > SUM(amount)", "HAVING_SHAPE"),
        ("HAVING NOT SUM(amount) > 5", "HAVING_SHAPE"),
        ("HAVING MIN(key) = 'a'", "AGG_FUNCTION"),
        ("ORDER BY key", "COLUMN_IN_ORDER_BY"),
        ("ORDER BY CASE WHEN key = 'a' THEN 1 END", "COLUMN_IN_ORDER_BY"),
        ("ORDER BY segment", "GROUP_BY_MISSING"),
        ("LIMIT 1", "LIMIT"),
        ("ORDER BY 1 OFFSET 1", "LIMIT"),
        ("UNION ALL SELECT SUM(amount) FROM ours", "SET_OPERATOR"),
        ("LATERAL VIEW EXPLODE(ARRAY(key)) x AS y", "FROM_SHAPE"),
    ],
)
def test_other_clauses_of_an_aggregation_query(clause, code):
    assert code in codes(f"SELECT SUM(amount) AS s FROM ours {clause}")


@pytest.mark.parametrize("clause", ["segment IN ('a', 'b')", "segment LIKE 'a%'", "dt >= DATE '2026-01-01'",
                                    "region IS NOT NULL", "segment = region", "UPPER(segment) = 'A'"])  # fmt: skip
def test_documented_conditions_are_accepted(clause):
    accepted(f"SELECT SUM(amount) AS s FROM ours WHERE {clause}")


@pytest.mark.parametrize(
    ("join", "code"),
    [
        ("LEFT JOIN ours o ON t.key = o.key", "JOIN_TYPE"),
        ("CROSS JOIN ours o", "JOIN_TYPE"),
        ("LEFT ANTI JOIN ours o ON t.key = o.key", "JOIN_TYPE"),
        ("JOIN ours o", "JOIN_CONDITION"),
        ("JOIN ours o ON TRUE", "JOIN_CONDITION"),
        ("JOIN ours o USING (key)", "JOIN_CONDITION"),
        ("NATURAL JOIN ours o", "JOIN_CONDITION"),
        ("JOIN ours o ON t.key <=> o.key", "JOIN_CONDITION"),
        ("JOIN ours o ON NOT (t.key <> o.key)", "JOIN_CONDITION"),
        ("JOIN ours o ON t.key = o.key AND t.key = 'a'", "JOIN_CONDITION"),
        ("JOIN ours o ON o.key = o.other_key", "JOIN_CONDITION"),
        ("JOIN ours o ON t.segment = o.segment", "JOIN_COLUMN"),
        ("JOIN others o ON t.key = o.key", "JOIN_REQUIRED"),
        ("JOIN theirs o ON t.key = o.key", "JOIN_REQUIRED"),
        ("JOIN (VALUES ('a')) v(key) ON t.key = v.key", "SUBQUERY"),
        ("JOIN (SELECT key FROM ours) o ON t.key = o.key", "SUBQUERY"),
    ],
)
def test_joins_of_an_aggregation_query(join, code):
    assert code in codes(f"SELECT SUM(t.amount) AS s FROM theirs t {join}")


def test_overlap_may_be_transitive():
    accepted(
        "SELECT SUM(t.amount) AS s FROM theirs t JOIN others x ON t.key = x.key JOIN ours o ON x.key = o.key"
    )


def test_an_or_between_tables_that_are_joined_already_makes_an_overlap():
    text = "FROM theirs t JOIN ours o ON o.key = t.key JOIN others x ON x.key = o.key OR x.key = t.key"
    accepted(f"SELECT SUM(t.amount) AS s {text}")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"SELECT t.segment {LISTED}", "DISTINCT_MISSING"),
        (f"SELECT DISTINCT t.key {LISTED}", "COLUMN_IN_SELECT"),
        (f"SELECT DISTINCT * {LISTED}", "STAR"),
        (f"SELECT DISTINCT UPPER(t.key) {LISTED}", "FUNCTION"),
        (f"SELECT DISTINCT 1 {LISTED}", "SELECT_SHAPE"),
        (f"SELECT DISTINCT t.segment {LISTED} WHERE t.key = 'a'", "COLUMN_IN_WHERE"),
        (f"SELECT DISTINCT t.segment {LISTED} WHERE UPPER(t.segment) = 'a'", "FUNCTION"),
        (f"SELECT DISTINCT t.segment {LISTED} GROUP BY t.segment", "GROUP_BY"),
        (f"SELECT DISTINCT t.segment {LISTED} HAVING COUNT(t.key) > 1", "GROUP_BY"),
        (f"SELECT DISTINCT t.segment {LISTED} ORDER BY t.key", "ORDER_BY"),
        (f"SELECT DISTINCT t.segment {LISTED} LIMIT 0", "LIMIT"),
        (f"SELECT DISTINCT t.segment, COUNT(*) OVER () {LISTED}", "WINDOW"),
        ("SELECT DISTINCT segment FROM their_list", "JOIN_REQUIRED"),
        ("SELECT DISTINCT segment FROM our_list", "JOIN_REQUIRED"),
        ("SELECT DISTINCT a.segment FROM our_list a JOIN our_list b ON a.key = b.key", "JOIN_REQUIRED"),
        (f"SELECT DISTINCT t.segment, o.segment {JOINED}".replace("ours", "our_list"), "RULE_TYPES_MIXED"),
    ],
)
def test_list_queries(text, code):
    assert code in codes(text)


def test_a_list_query_may_filter_and_limit():
    accepted(f"SELECT DISTINCT t.segment AS s, o.region {LISTED} WHERE t.segment <> o.segment LIMIT 10")


def test_all_violations_are_reported_with_position_text_and_fix():
    verdict = judge("SELECT key,\n       MIN(amount)\nFROM ours WHERE note = 'secret'\nGROUP BY key LIMIT 1")
    assert [item.code for item in verdict.violations] == [
        "LIMIT", "AGG_FUNCTION", "COLUMN_IN_SELECT", "COLUMN_IN_GROUP_BY", "COLUMN_IN_WHERE",
    ]  # fmt: skip
    second = verdict.violations[1]
    assert (second.line, second.column, second.text) == (2, 8, "MIN(amount)")
    assert all(item.rule and item.fix for item in verdict.violations)


def test_literals_are_masked_in_violations():
    (violation,) = judge("SELECT SUM(amount) FROM ours WHERE segment RLIKE 'someone@example.org'").violations
    assert "someone" not in str(violation)
    assert violation.text == "segment RLIKE ?"
