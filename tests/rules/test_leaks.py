"""Ways to get protected values past the checks: each is refused, or runs and tells nothing."""

from __future__ import annotations

import re
from functools import cache

import pytest

from cleanrooms.rules import check, parse
from tests.rules.attacked import COLUMNS
from tests.rules.attacks import HARMLESS, KINDS, REFUSED, attempt, database
from tests.rules.support import OURS, custom, judge, table

_rows = cache(database)


def _codes(kind: str, text: str) -> set[str]:
    verdict = check(text, KINDS[kind].tables, runner=OURS, receivers=[OURS])
    return {violation.code for violation in verdict.violations}


def _run(kind: str, text: str) -> str:
    outcome = attempt(text, kind, _rows(kind))
    assert outcome.leak == ""
    return outcome.end


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COLUMNS('note') FROM a_table",
        "SELECT COLUMNS('.*') FROM a_table",
        "SELECT SECRET('a', 'b') FROM a_table",
        "SELECT READ_CSV('x') FROM a_table",
        "SELECT STRUCT_EXTRACT(STRUCT(segment AS f), 'f') FROM a_table",
        "SELECT CURRENT_ROLE() FROM a_table",
        "SELECT CURRENT_WAREHOUSE() FROM a_table",
        "SELECT XMLELEMENT(NAME a, segment) FROM a_table",
        "SELECT CONNECT_BY_ROOT segment FROM a_table",
        "SELECT TRANSFORM(segment) USING 'cat' AS (x) FROM a_table",
        "SELECT SUM(amount) OVER w FROM a_table",
        "SELECT segment, SUM(amount) FROM a_table GROUP BY segment WITH TOTALS",
        "SELECT POSEXPLODE(ARRAY(segment)) AS (p, c) FROM a_table",
    ],
)
def test_what_only_the_parser_knows_is_refused(text):
    assert _run("disallowed", text) == REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "SELECT segment {# , note #} FROM a_table",
        "SELECT segment -- \r, note\n FROM a_table",
        "SELECT MAX(segment) /* sqlglot.anonymous */ AS s FROM a_table {# #}",
    ],
)
def test_only_the_comments_of_spark_are_left_out(text):
    assert _run("disallowed", text) == REFUSED


def test_no_comment_changes_what_a_function_is():
    plain, commented = (
        check(f"SELECT MAX(segment){comment} AS s FROM a_table", KINDS["disallowed"].tables, runner=OURS)
        for comment in ("", " /* sqlglot.anonymous */")
    )
    assert plain.require() == commented.require()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "disallowed",
            "SELECT v.x FROM a_table CROSS JOIN VALUES ((SELECT MAX(z.note) FROM b_table z)) v(x)",
        ),
        ("disallowed", "SELECT v.x FROM (VALUES ('a', (SELECT MAX(z.note) FROM b_table z))) v(w, x)"),
        (
            "thresholds",
            "SELECT v.x FROM a_table a CROSS JOIN VALUES ((SELECT SUM(z.amount) FROM b_table z WHERE "
            "z.segment = 'lone')) v(x) GROUP BY v.x",
        ),
        (
            "private",
            "SELECT COUNT(*), v.x FROM a_table a CROSS JOIN VALUES ((SELECT SUM(z.amount) FROM a_table z)) v(x) "
            "GROUP BY v.x",
        ),
        ("aggregation", "SELECT SUM(a.amount) FROM a_table a ASOF JOIN b_table b ON a.key = b.key"),
        ("disallowed", "SELECT a.segment FROM a_table a ASOF LEFT JOIN b_table b ON a.key = b.key"),
    ],
)
def test_items_of_from_that_hide_a_query_are_refused(kind, text):
    assert _run(kind, text) == REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "SELECT INTERVAL (key) DAY AS s FROM a_table",
        "SELECT DATE '2026-01-01' + INTERVAL note DAY AS s FROM a_table",
        "SELECT i FROM (SELECT INTERVAL (LENGTH(a.note)) HOUR AS i FROM a_table a) t",
    ],
)
def test_a_column_inside_an_interval_is_seen(text):
    assert _codes("disallowed", text) == {"DISALLOWED_OUTPUT"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT f.note FROM (SELECT NAMED_STRUCT('note', note) AS f FROM a_table) t",
        "SELECT t.k FROM (SELECT note AS y, y FROM a_table) t(j, k)",
        "WITH c(j, k) AS (SELECT note AS y, y FROM a_table) SELECT k FROM c",
    ],
)
def test_a_name_that_is_replaced_keeps_its_origin(text):
    assert _codes("disallowed", text) == {"DISALLOWED_OUTPUT"}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("disallowed", "SELECT y FROM a_table LATERAL VIEW EXPLODE(ARRAY(*)) x AS y"),
        ("disallowed", "SELECT y FROM a_table a LATERAL VIEW EXPLODE(ARRAY(a.*)) x AS y"),
        ("disallowed", "SELECT COUNT(*) AS n FROM a_table GROUP BY *"),
        ("thresholds", "SELECT SUM(amount) AS s FROM b_table WHERE CONCAT(*) LIKE '%PROT-k1%'"),
        ("private", "SELECT COUNT(*) FROM a_table GROUP BY CONCAT(*)"),
        ("private", "SELECT COUNT(*) FROM a_table HAVING CONCAT(*) LIKE 'x'"),
        ("aggregation", "SELECT SUM(a.amount) FROM a_table a WHERE a.* = 'x'"),
        ("aggregation", "SELECT SUM(a.amount) FROM a_table a GROUP BY a.*"),
        ("list", "SELECT DISTINCT a.segment FROM a_table a JOIN b_table b ON a.key = b.key WHERE b.* = 'x'"),
    ],
)
def test_stars_stand_for_columns_outside_of_the_select_list_too(kind, text):
    assert _run(kind, text) == REFUSED


@pytest.mark.parametrize("call", ["note.LCASE()", "a.note.CONCAT('z')", "main.CONCAT(a.segment)"])
def test_methods_of_values_are_refused(call):
    assert _run("disallowed", f"SELECT {call} FROM a_table a") == REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "SELECT TRANSFORM(ARRAY(NAMED_STRUCT('note', 1)), a -> a.note) AS s FROM a_table a",
        "SELECT TRANSFORM(ARRAY('z'), x -> x) AS s FROM a_table",
        "SELECT TRANSFORM(ARRAY(1), x -> TRANSFORM(ARRAY(2), note -> x * note)) AS s FROM a_table",
        "SELECT TRANSFORM(ARRAY(1), x -> TRANSFORM(ARRAY(2), x -> x + 1)) AS s FROM a_table",
        "SELECT main.b_table.note FROM (SELECT NAMED_STRUCT('note', 'x') AS b_table) main CROSS JOIN b_table",
        "WITH a_table AS (SELECT segment AS note FROM b_table) "
        "SELECT (SELECT MAX(note) FROM a_table) AS q, q || '' AS t FROM b_table",
        "CACHE TABLE a_table AS SELECT segment AS n FROM a_table; "
        "SELECT (SELECT MAX(n) FROM a_table) AS q, UPPER(q) AS t FROM b_table",
    ],
)
def test_a_name_means_what_the_checks_take_it_for(text):
    assert _run("disallowed", text) == HARMLESS


def test_a_lambda_reads_the_variable_that_is_nearest():
    text = "SELECT TRANSFORM(ARRAY(1), x -> TRANSFORM(ARRAY(2), x -> x + 1)) AS s, a.x FROM (SELECT 1 AS x) a"
    verdict = check(f"{text}, b_table", KINDS["disallowed"].tables, runner=OURS)
    assert verdict.require().startswith(
        "SELECT TRANSFORM(ARRAY(1), `variable_1` -> TRANSFORM(ARRAY(2), `variable_2` -> `variable_2` + 1)) AS `s`, "
    )


def test_result_columns_bear_the_names_that_the_verdict_says():
    verdict = check("SELECT segment AS s, s FROM a_table", KINDS["disallowed"].tables, runner=OURS)
    assert verdict.require().count("AS `s`") == len(verdict.output_columns) == 2


@pytest.mark.parametrize(
    "limit", ["FETCH FIRST 5 PERCENT ROWS ONLY", "LIMIT 5 PERCENT", "FETCH FIRST 5 ROWS WITH TIES"]
)
def test_row_counts_of_other_engines_are_refused(limit):
    assert _run(
        "list", f"SELECT DISTINCT a.segment FROM a_table a JOIN b_table b ON a.key = b.key {limit}"
    ) == (REFUSED)


@pytest.mark.parametrize("name", ["identity_1_of_b_table", "IDENTITY_1_OF_B_TABLE"])
def test_no_column_of_the_query_stands_for_the_identities(name):
    text = (
        f"SELECT t.segment, SUM(t.amount) AS n FROM (SELECT b.segment, b.amount, v.c AS {name} FROM b_table b "
        "CROSS JOIN VALUES (1), (2), (3) v(c)) t GROUP BY t.segment"
    )
    assert _run("thresholds", text) == HARMLESS


def test_a_cached_union_keeps_its_identities():
    text = (
        "CACHE TABLE c AS SELECT segment, amount FROM b_table UNION SELECT segment, amount FROM b_table; "
        "SELECT segment, SUM(amount) AS n FROM c GROUP BY segment"
    )
    assert _run("thresholds", text) == HARMLESS


@pytest.mark.parametrize(
    "inner",
    [
        "SELECT CASE WHEN segment = 'lone' THEN amount ELSE 0 END AS x FROM b_table "
        "UNION ALL SELECT amount FROM b_table WHERE FALSE",
        "SELECT amount AS x FROM b_table WHERE FALSE UNION ALL "
        "SELECT CASE WHEN segment = 'lone' THEN amount ELSE 0 END FROM b_table",
        "SELECT key, CASE WHEN SUM(amount) > 17592186044416 THEN SUM(amount) ELSE 0 END AS x FROM b_table GROUP BY key",
        "SELECT key, GREATEST(SUM(amount) - 17592186044416, 0) AS x FROM b_table GROUP BY key",
    ],
)
def test_an_expression_stays_one_through_unions_and_aggregates(inner):
    text = f"SELECT SUM(t.x) AS s, COUNT(*) AS n FROM ({inner}) t"
    assert _codes("thresholds", text) == {"AGG_EXPRESSION"}


@pytest.mark.parametrize("cut", ["ORDER BY amount LIMIT 1", "LIMIT 2", "OFFSET 1"])
def test_a_private_union_is_cut_at_the_end_only(cut):
    text = (
        "WITH t AS (SELECT key, amount FROM a_table UNION ALL SELECT key, amount FROM b_table "
        f"{cut}) SELECT SUM(amount) FROM t"
    )
    assert _codes("private", text) == {"DP_SHAPE"}


@pytest.mark.parametrize(
    "answer",
    [
        "ARRAY_POSITION(ARRAY(c.note), 'PROT-n1')",
        "SIZE(ARRAY_REMOVE(ARRAY(c.note), 'PROT-n1'))",
        "SIZE(ARRAY_DISTINCT(ARRAY(c.note, 'PROT-n1')))",
        "SIZE(ARRAY_INTERSECT(ARRAY(c.note), ARRAY('PROT-n1')))",
        "SIZE(ARRAY_UNION(ARRAY(c.note), ARRAY('PROT-n1')))",
        "MAP_CONTAINS_KEY(MAP('PROT-n1', 1), c.note)",
        "EQUAL_NULL(c.note, 'PROT-n1')",
        "ARRAY_MAX(ARRAY(c.note, 'PROT-n1'))",
        "LENGTH(TRIM('1' FROM c.note))",
        "LENGTH(BTRIM(c.note, '1'))",
        "LENGTH(SUBSTRING_INDEX(c.note, 'n1', 1))",
        "SIZE(SPLIT(c.note, 'n1'))",
        "SIZE(FILTER(ARRAY(c.note), x -> x = 'PROT-n1'))",
        "AGGREGATE(ARRAY(c.note), 0, (n, x) -> n + INT(x = 'PROT-n1'))",
        "SIGN(ASCII(c.note) - 5)",
        "WIDTH_BUCKET(ASCII(c.note), 0, 9, 3)",
    ],
)
def test_functions_that_compare_with_a_literal_are_comparisons(answer):
    text = f"SELECT c.segment, COUNT({answer}) AS n FROM c_table c GROUP BY c.segment"
    assert "LITERAL_COMPARISON" in _codes("mixed", text)


@pytest.mark.parametrize(
    "harmless",
    ["TRIM(c.note)", "DECODE(UNBASE64(c.note), 'UTF-8')", "MAP('k', c.note)", "SORT_ARRAY(ARRAY(c.note))"],
)
def test_functions_that_compare_with_nothing_are_none(harmless):
    rule = custom(comparisonControls={"allowedLiteralComparisonColumns": []})
    tables = {"c_table": table("c_table", COLUMNS, "CUSTOM", rule)}
    check(f"SELECT {harmless} AS x FROM c_table c", tables, runner=OURS).require()


@pytest.mark.parametrize("key", ["1", "(1)", "((1))", "note"])
def test_grouping_by_a_number_in_brackets_is_a_comparison(key):
    rule = custom(comparisonControls={"allowedColumnComparisonColumns": ["segment"]})
    tables = {"c_table": table("c_table", COLUMNS, "CUSTOM", rule)}
    verdict = check(f"SELECT note, COUNT(*) AS n FROM c_table GROUP BY {key}", tables, runner=OURS)
    assert [violation.code for violation in verdict.violations] == ["COLUMN_COMPARISON"]


@pytest.mark.parametrize(
    ("kind", "select", "rest"),
    [
        ("aggregation", "SUM(a.amount)", "WHERE EXISTS(ARRAY(a.key), x -> x LIKE 'P%')"),
        ("aggregation", "SUM(a.amount)", "HAVING EXISTS(ARRAY(MAX(a.note)), x -> x LIKE 'P%')"),
        ("list", "DISTINCT a.segment", "WHERE EXISTS(ARRAY(a.key), x -> x LIKE 'P%')"),
        ("aggregation", "SUM(a.amount) AS s", "ORDER BY s WITH FILL"),
    ],
)
def test_no_part_of_a_flat_query_is_left_out(kind, select, rest):
    assert _run(kind, f"SELECT {select} FROM a_table a JOIN b_table b ON a.key = b.key {rest}") == REFUSED


@pytest.mark.parametrize(
    "item",
    [
        "EXTRACT(`day FROM DATE '2026-01-01'), note, EXTRACT(day` FROM DATE '2026-01-01')",
        "DATEADD(`day, 1, note), (x`, 1, segment)",
        "TIMESTAMPDIFF(`day, note, note), (x`, segment, segment)",
        "CAST(segment AS `INT), (note`)",
        "segment::`INT`",
        "INTERVAL '1 day, note'",
        "UPPER(`a, note` => segment)",
        "NAMED_STRUCT('a`, note AS `b', segment)",
        "`lcase(note), lcase`(segment)",
        "segment->'$.note'",
        "segment ? 'note'",
    ],
)
def test_nothing_hides_in_what_is_printed_as_it_is(item):
    assert _run("disallowed", f"SELECT {item} AS q FROM a_table") == REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a.segment FROM a_table a LATERAL VIEW EXPLODE(ARRAY('z')) `q AS c UNION ALL SELECT note FROM b_table "
        "LATERAL VIEW EXPLODE(ARRAY(1)) r` AS c",
        "SELECT `q z`.c FROM a_table LATERAL VIEW OUTER EXPLODE(ARRAY(segment)) `q z` AS c",
        "SELECT t.`a, note` FROM (SELECT segment AS `a, note` FROM a_table) t",
        "SELECT * FROM (SELECT COUNT(*), UPPER(segment) FROM a_table GROUP BY segment) t",
        "SELECT EXTRACT(`day` FROM DATE '2026-01-01') AS d, INTERVAL '1 day 2 hours' AS i FROM a_table",
    ],
)
def test_names_are_quoted_wherever_they_stand(text):
    assert _run("disallowed", text) == HARMLESS


def test_a_text_that_reads_more_than_its_query_is_refused(monkeypatch):
    """Should the parser keep a text as it is where nobody expects it."""
    monkeypatch.setattr(parse, "_WORD", re.compile(".*"))
    text = "SELECT EXTRACT(`day FROM DATE '2026-01-01'), note, EXTRACT(day` FROM DATE '2026-01-01') AS q FROM a_table"
    assert _codes("disallowed", text) == {"SQL_SURFACE"}


@pytest.mark.parametrize(
    "call",
    [
        "DATE_TRUNC(note, TIMESTAMP '2026-01-01')",
        "FIRST(segment, note IS NULL)",
        "UUID(LENGTH(note))",
        "NAMED_STRUCT(note, 1)",
    ],
)
def test_no_argument_of_a_function_gets_lost(call):
    assert _run("disallowed", f"SELECT {call} AS q FROM a_table") == REFUSED


@pytest.mark.parametrize(
    "call",
    [
        "FROM_UTC_TIMESTAMP(day, city)",
        "TO_UTC_TIMESTAMP(day, city)",
        "DATEADD(day, cost, day)",
        "DATE_TRUNC('day', day)",
    ],
)
def test_arguments_that_are_copied_or_units_are_not_lost(call):
    assert judge(f"SELECT {call} AS q FROM open_people").accepted


@pytest.mark.parametrize(
    "text",
    [
        "SELECT city FROM open_people FETCH FIRST 3 ROWS ONLY",
        "SELECT city FROM open_people LIMIT ALL",
        "SELECT FIRST(city) IGNORE NULLS AS c FROM open_people",
        "SELECT city FROM open_people WHERE city LIKE 'x' ESCAPE '!' OR cost BETWEEN 1 AND 2",
        "SELECT cost DIV 2, cost & 1, ~cost, city || 'a', city IS DISTINCT FROM 'a', N'a', X'41' FROM open_people",
        "SELECT TRIM(BOTH 'x' FROM city), EXTRACT(DAY FROM day), OVERLAY(city PLACING 'x' FROM 1) FROM open_people",
        "SELECT MAP('a', city)['a'], ARRAY(city)[0], STRUCT(city AS f).f FROM open_people",
        "SELECT SUM(cost) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM open_people",
    ],
)
def test_what_spark_knows_is_still_read(text):
    assert judge(text).accepted


def test_a_text_that_cannot_be_read_again_is_refused(monkeypatch):
    monkeypatch.setattr(parse, "_WORD", re.compile(".*"))
    assert _codes("disallowed", "SELECT EXTRACT(`day FROM (` FROM segment) AS q FROM a_table") == {
        "SQL_SURFACE"
    }
