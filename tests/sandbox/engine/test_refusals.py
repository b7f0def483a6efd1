"""What the engine would answer in another way than Spark it does not answer: refused by name, or the query fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.engine.sides import over_rows, refusal

Engine = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("initcap(s)", "INITCAP"),
        ("cast(d as string)", "CAST of DOUBLE to STRING"),
        ("d || s", "CAST of DOUBLE to STRING"),
        ("sha2(s, 512)", "SHA2 with length 512"),
        ("ceil(d, 1)", "CEIL with 2 arguments"),
        ("i ^ 2", "BITWISEXOR"),
        ("regexp_replace(s, '(?i)a', 'b')", "REGEXP_REPLACE"),
        ("regexp_replace(s, 'a*', 'b')", "matches nothing"),
        ("regexp_replace(s, 'a', '$1')", "REGEXP_REPLACE with that $"),
        ("regexp_substr(s, 'c$')", "REGEXP_SUBSTR with $"),
        ("s rlike '[a-z&&[^b]]'", "class of classes"),
        ("s rlike 'a++'", "possessive"),
        ("s rlike '\\\\bx'", "REGEXP_LIKE with \\b"),
        ("s rlike s2", "REGEXP_LIKE with a pattern that is not a literal"),
        ("s like s2", "LIKE with a pattern that is not a literal"),
        ("s ilike 'É%'", "ILIKE with letters beyond ASCII"),
        ("to_date(y, 'M/d/yy')", "TO_DATE with M in its pattern"),
        ("to_timestamp(y, 'yyyy-MM-dd HH:mm:ss z')", "TO_TIMESTAMP with z in its pattern"),
        ("date_format(ts, 'QQQ')", "DATE_FORMAT with QQQ in its pattern"),
        ("date_diff(day, day2, ts)", "DATEDIFF with 3 arguments"),
        ("from_utc_timestamp(ts, 'Nowhere')", "FROM_UTC_TIMESTAMP with that time zone"),
        ("day - day2", "interval between two dates"),
        ("round(f, 1)", "ROUND of a FLOAT"),
        ("split(s, ',', 2)", "SPLIT with a limit"),
        ("map('a', 1)['a']", "[] of MAP"),
        ("SELECT max(struct(i)) AS x FROM t", "MAX of STRUCT"),
        ("SELECT last(i, true) AS x FROM t", "LAST with IGNORE NULLS"),
        ("SELECT max_by(i, k) AS x FROM t", "MAX_BY"),
        ("SELECT row_number() AS x FROM t", "ROW_NUMBER in that place"),
        ("SELECT k FROM t LATERAL VIEW posexplode(ai) x AS p, v", "POSEXPLODE"),
        ("SELECT k FROM t TABLESAMPLE (10 PERCENT)", "of a table"),
    ],
)
def test_a_form_that_differs_is_refused_by_name(expression: str, named: str) -> None:
    message = refusal(expression)
    assert message is not None
    assert named in message


@pytest.mark.parametrize(
    "expression",
    [
        "sum(bo)",
        "bo + 1",
        "ai = 1",
        "cast(day as array<int>)",
        "sha2(i, 256)",
        "nosuch",
        "t.nosuch",
        "array_contains(s, 'a')",
    ],
)
def test_operands_that_spark_does_not_take_are_an_error(expression: str) -> None:
    query = f"SELECT {expression} AS x FROM t"
    assert refusal(query) is not None


@pytest.mark.parametrize(
    "expression",
    [
        "to_date(y, 'yyyy-MM-dd HH:mm')",  # 2020-1-1 1:1:1.1 is read by Spark's old parser only
        "cast('12:30:00' as timestamp)",  # today's date in Spark
        "cast(unhex('00FF') as string)",  # not UTF-8
        "unbase64(s)",
        "get_json_object('{\"a\":{\"b\":1e3}}', '$.a')",
        "cast('99999999999999999999.000000000000000001' as decimal(38,18)) * w",
    ],
)
def test_a_value_that_would_differ_fails_the_query(engine: Engine, expression: str) -> None:
    assert "failed" in engine(over_rows([expression]))
