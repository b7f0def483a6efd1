"""The parser traps: what Spark reads in another way than Clean Rooms does."""

from __future__ import annotations

import logging

import pytest
import sqlglot
from sqlglot import exp

from cleanrooms.rules.dialect import CleanRooms, NullSafeOperator
from tests.rules.support import accepted, codes, judge


def test_double_quotes_delimit_identifiers():
    assert codes("SELECT SUM(amount) FROM ours WHERE \"key\" = 'a'") == {"COLUMN_IN_WHERE"}


def test_a_double_quoted_text_is_no_string():
    assert codes('SELECT SUM(amount) FROM ours WHERE segment = "gold"') == {"COLUMN_UNKNOWN"}


def test_backticks_delimit_identifiers():
    assert "GROUP BY ours.segment" in accepted("SELECT `segment`, SUM(amount) FROM ours GROUP BY `segment`")


def test_trunc_takes_one_argument_and_becomes_a_cast():
    assert "CAST(people.day AS DATE)" in accepted("SELECT TRUNC(day) AS d FROM people")


def test_trunc_of_a_number_drops_the_fraction():
    assert "CAST(people.cost AS BIGINT)" in accepted("SELECT TRUNC(cost) AS c FROM people")


def test_null_safe_operator_is_told_from_is_not_distinct_from():
    one, other = (
        sqlglot.parse_one(f"SELECT a {operator} b", read=CleanRooms).selects[0]
        for operator in ("<=>", "IS NOT DISTINCT FROM")
    )
    assert isinstance(one, NullSafeOperator)
    assert isinstance(other, exp.NullSafeEQ)


def test_null_safe_operator_is_written_as_plain_spark():
    constrained = judge("SELECT p.city FROM people p JOIN open_people o ON p.city <=> o.city").require()
    assert isinstance(sqlglot.parse_one(constrained, read="spark").find(exp.NullSafeEQ), exp.NullSafeEQ)


@pytest.mark.parametrize("text", ["EXPLAIN SELECT 1", "SHOW TABLES", "CALL x()", "GRANT ALL ON t TO u"])
def test_commands_are_refused_without_a_log_line(text, caplog):
    with caplog.at_level(logging.DEBUG):
        assert codes(text) == {"STATEMENT"}
    assert not caplog.records


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO ours SELECT * FROM ours",
        "DROP TABLE ours",
        "SET a = b",
        "DESCRIBE ours",
        "SELECT SUM(amount) FROM ours; SELECT SUM(amount) FROM ours",
        "SELECT SUM(amount) FROM ours; DROP TABLE ours",
        "",
    ],
)
def test_anything_but_one_select_is_refused(text):
    assert codes(text) & {"STATEMENT", "PARAMETERS"}


@pytest.mark.parametrize(
    "text", ["SELECT FROM ours", "SELECT SUM(amount FROM ours", "select", "SELECT TOP 5 x FROM ours"]
)
def test_text_that_does_not_parse_is_refused(text):
    assert codes(text) == {"PARSE"}


def test_parse_errors_do_not_repeat_the_text():
    (violation,) = judge("SELECT 'very private' FROM FROM").violations
    assert "private" not in str(violation)


def test_comments_are_ignored():
    accepted("SELECT segment /* a */, SUM(amount) -- b\nFROM ours GROUP BY segment -- c")


def test_hints_count_no_tables_and_are_left_out():
    verdict = judge("SELECT /*+ BROADCAST(unknown) */ segment, SUM(amount) FROM ours GROUP BY segment")
    assert verdict.tables == ("ours",)
    assert "BROADCAST" not in verdict.require()


def test_names_outside_ascii_are_refused():
    # The Kelvin sign folds to k in one engine and stays itself in another.
    assert codes("SELECT \u212aey FROM people") & {"PARSE"}


def test_deep_nesting_is_refused_not_crashed_on():
    assert codes("SELECT " + "(" * 5000 + "1" + ")" * 5000 + " FROM people") == {"PARSE"}


def test_texts_longer_than_the_services_limit_are_refused():
    assert codes("SELECT city FROM people -- " + "x" * 500_000) == {"PARSE"}
