"""What the engine reads and what it makes of it: formats, partitions, Spark's semantics."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import json
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sandbox.cleanrooms.catalog import Partition, Storage
from sandbox.cleanrooms.engine.failures import QueryFailed
from sandbox.cleanrooms.engine.macros import definitions
from sandbox.cleanrooms.engine.pruning import needed
from sandbox.cleanrooms.engine.translate import translate
from tests.sandbox.cleanrooms.lab import LAZY, OPEN_CSV, Lab, any_query, rows

JSON = "org.openx.data.jsonserde.JsonSerDe"
TYPES = {
    "i": "int",
    "b": "bigint",
    "d": "double",
    "m": "decimal(10,2)",
    "s": "string",
    "day": "date",
    "ts": "timestamp",
    "dt": "string",
}


def share(lab: Lab, name: str, columns: list[str]) -> Lab:
    lab.brand.share(lab.membership, name, columns, "CUSTOM", any_query())
    return lab


def spark(expression: str, **values: Any) -> Any:
    """The value of an expression over one row of typed columns, computed by the translation."""
    kinds = {**dict.fromkeys(("s", "dt"), "VARCHAR"), "i": "INTEGER", "b": "BIGINT", "d": "DOUBLE",
             "m": "DECIMAL(10, 2)", "day": "DATE", "ts": "TIMESTAMP"}  # fmt: skip
    query = translate(f"SELECT {expression} AS x FROM t", {"t": TYPES}).query
    with duckdb.connect() as con:
        for macro in definitions():
            con.execute(macro)
        columns = ", ".join(f"CAST(? AS {kinds[column]}) AS {column}" for column in TYPES)
        con.execute(f"CREATE TABLE t AS SELECT {columns}", [values.get(column) for column in TYPES])
        return con.execute(query).fetchall()[0][0]


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("t.i / t.b", {"i": 7, "b": 2}, 3.5),
        ("t.i / t.b", {"i": 7, "b": 0}, None),
        ("t.i % t.b", {"i": 7, "b": 0}, None),
        ("t.i DIV t.b", {"i": -7, "b": 2}, -3),
        ("t.m / t.m", {"m": Decimal("1.10")}, Decimal("1.0000000000000")),
        ("ROUND(t.d, 2)", {"d": 1.005}, 1.01),
        ("ROUND(t.m, 1)", {"m": Decimal("2.25")}, Decimal("2.3")),
        ("CAST(t.d AS INT)", {"d": -2.7}, -2),
        ("CAST(t.s AS INT)", {"s": " 12.7"}, 12),
        ("CAST(t.s AS INT)", {"s": "1e3"}, None),
        ("CAST(t.s AS DOUBLE)", {"s": "1_0"}, None),
        ("CAST(t.s AS DOUBLE)", {"s": "1.5f"}, 1.5),
        ("CAST(t.s AS DATE)", {"s": "2020-01"}, dt.date(2020, 1, 1)),
        ("CAST(t.s AS DATE)", {"s": "2020/01/02"}, None),
        ("t.s > 5", {"s": "12.7"}, True),
        ("t.dt >= DATE '2017-01-03'", {"dt": "2017-01-02"}, False),
        ("t.dt > '2017-01-1'", {"dt": "2017-01-02"}, False),
        ("LOWER(t.s)", {"s": "İA"}, "i̇a"),
        ("UPPER(t.s)", {"s": "straße"}, "STRASSE"),
        ("TRIM(t.s)", {"s": " a\u00a0"}, "a\u00a0"),
        ("SUBSTRING(t.s, 0, 2)", {"s": "abc"}, "ab"),
        ("SUBSTRING(t.s, -5, 3)", {"s": "abc"}, "a"),
        ("SUBSTRING(t.s, 1, -1)", {"s": "abc"}, ""),
        ("CONCAT(t.s, t.dt)", {"s": "a"}, None),
        (r"t.s LIKE 'a\\_c'", {"s": "abc"}, False),
        ("DATEDIFF(t.day, t.dt)", {"day": dt.date(2017, 1, 31), "dt": "2017-01-02"}, 29),
        ("DATE_ADD(t.day, 1)", {"day": dt.date(2017, 1, 31)}, dt.date(2017, 2, 1)),
        ("ADD_MONTHS(t.day, 1)", {"day": dt.date(2017, 1, 31)}, dt.date(2017, 2, 28)),
        ("TRUNC(t.day, 'MM')", {"day": dt.date(2017, 1, 31)}, dt.date(2017, 1, 1)),
        ("DAYOFWEEK(t.day)", {"day": dt.date(2017, 1, 1)}, 1),
        ("LN(t.d)", {"d": 0.0}, None),
        ("COUNT(DISTINCT t.s, t.dt)", {"s": "a"}, 0),
    ],
)
def test_expressions_mean_what_spark_means(expression: str, values: dict[str, Any], expected: Any) -> None:
    assert spark(expression, **values) == expected


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("COUNT(*)", "BIGINT"),
        ("SUM(t.i)", "BIGINT"),
        ("SUM(t.i) OVER ()", "BIGINT"),
        ("SUM(t.d)", "DOUBLE"),
        ("SUM(t.m)", "DECIMAL(20,2)"),
        ("AVG(t.i)", "DOUBLE"),
        ("AVG(t.m)", "DECIMAL(14,6)"),
        ("YEAR(t.day)", "INTEGER"),
        ("CEIL(t.d)", "BIGINT"),
        ("t.i / 2", "DOUBLE"),
    ],
)
def test_results_have_sparks_types(expression: str, kind: str) -> None:
    query = translate(f"SELECT {expression} AS x FROM t", {"t": TYPES}).query
    with duckdb.connect() as con:
        for macro in definitions():
            con.execute(macro)
        con.execute("CREATE TABLE t (i INT, b BIGINT, d DOUBLE, m DECIMAL(10, 2), s VARCHAR, day DATE)")
        assert con.execute(f"DESCRIBE {query}").fetchall()[0][1] == kind


@pytest.mark.parametrize(
    "expression",
    [
        "INITCAP(t.s)",
        "READ_TEXT(t.s)",
        "REGEXP_REPLACE(t.s, 'a(?=b)', 'b')",
        "CAST(t.d AS STRING)",
        "GETDATE()",
        "RAND()",
    ],
)
def test_functions_without_an_equal_are_refused_by_name(expression: str) -> None:
    with pytest.raises(QueryFailed, match="not supported by the sandbox") as refused:
        translate(f"SELECT {expression} AS x FROM t", {"t": TYPES})
    assert expression.split("(")[0] in refused.value.message


@pytest.mark.parametrize("sql", ["SELECT 1 AS x FROM read_csv('/etc/passwd')", "DROP TABLE t"])
def test_nothing_but_queries_over_tables_is_translated(sql: str) -> None:
    with pytest.raises(QueryFailed):
        translate(sql, {"t": TYPES})


def test_columns_without_an_alias_get_sparks_names() -> None:
    translation = translate(
        "SELECT COUNT(DISTINCT t.s), SUM(t.i) AS total, t.dt FROM t GROUP BY t.dt", {"t": TYPES}
    )
    assert translation.columns == ("count(DISTINCT t.s)", "total", "dt")


def test_cached_tables_are_made_before_the_query() -> None:
    translation = translate("CACHE TABLE c AS SELECT t.m FROM t; SELECT SUM(c.m) AS s FROM c", {"t": TYPES})
    assert translation.preparations == ('CREATE TEMP TABLE "c" AS SELECT t.m FROM t',)


@pytest.mark.parametrize(
    ("sql", "days"),
    [
        ("SELECT 1 FROM t WHERE t.dt = '2017-01-02'", [2]),
        ("SELECT 1 FROM t WHERE dt BETWEEN '2017-01-02' AND '2017-01-03' AND k = 'x'", [2, 3]),
        ("SELECT 1 FROM t WHERE t.dt >= DATE '2017-01-03'", [3, 4]),
        ("SELECT 1 FROM t WHERE t.dt IN ('2017-01-01') OR t.dt > '2017-01-03'", [1, 4]),
        ("SELECT 1 FROM t WHERE t.dt = '2017-01-02' OR t.k = 'x'", [1, 2, 3, 4]),
        ("SELECT 1 FROM u LEFT JOIN t ON u.k = t.k WHERE t.dt = '2017-01-02' OR t.dt IS NULL", [1, 2, 3, 4]),
        ("SELECT 1 FROM t a JOIN t b ON a.k = b.k WHERE a.dt = '2017-01-01' AND b.dt = '2017-01-04'", [1, 4]),
        ("SELECT 1 FROM t a JOIN t b ON a.k = b.k WHERE a.dt = '2017-01-01'", [1, 2, 3, 4]),
        ("WITH w AS (SELECT k FROM t WHERE dt = '2017-01-03') SELECT 1 FROM w", [3]),
        ("SELECT 1 FROM t", [1, 2, 3, 4]),
    ],
)
def test_only_partitions_that_a_query_can_need_are_read(sql: str, days: list[int]) -> None:
    storage = Storage("s3://b/t/", "", "")
    partitions = [Partition((f"2017-01-0{day}",), storage) for day in (1, 2, 3, 4)]
    found = needed(sql, "t", {"dt": "string"}, partitions)
    assert [partition.values[0] for partition in found] == [f"2017-01-0{day}" for day in days]


def test_partition_columns_have_the_catalogs_type_and_values_of_any_text(lab: Lab) -> None:
    table = pa.table({"k": ["x", "y"], "region": ["north/east", "süd 1"], "year": ["2017", "2018"]})
    lab.brand.parquet_table("facts", {"k": "string"}, table, keys={"region": "string", "year": "int"})
    share(lab, "facts", ["k", "region", "year"])
    found = lab.run("SELECT f.region, f.year, f.k FROM facts f WHERE f.year > 2016")
    assert rows(found) == {("north/east", 2017, "x"), ("süd 1", 2018, "y")}
    assert found.schema.field("year").type == pa.int32()


def test_files_without_a_column_of_the_catalog_read_it_as_null(lab: Lab) -> None:
    lab.brand.parquet_table("facts", {"k": "string", "extra": "bigint"}, pa.table({"K": ["x"]}))
    lab.brand.put("facts/part-1.parquet", pa.table({"k": ["y"], "extra": pa.array([7], pa.int32())}))
    share(lab, "facts", ["k", "extra"])
    found = lab.run("SELECT f.k, f.extra FROM facts f")
    assert rows(found) == {("x", None), ("y", 7)}
    assert found.schema.field("extra").type == pa.int64()


def test_a_partition_without_data_fails_the_query_that_needs_it(lab: Lab) -> None:
    table = pa.table({"k": ["x"], "dt": ["2017-01-01"]})
    lab.brand.parquet_table("facts", {"k": "string"}, table, keys={"dt": "string"})
    lab.brand.partition("facts", ["2017-01-02"], ["dt"], None)
    share(lab, "facts", ["k", "dt"])
    assert rows(lab.run("SELECT COUNT(*) AS n FROM facts f WHERE f.dt = '2017-01-01'")) == {(1,)}
    error = lab.fails("SELECT COUNT(*) AS n FROM facts f")
    assert (error["code"], error["message"]) == (
        "INVALID_RESOURCE",
        "Missing partition data: facts (dt=2017-01-02)",
    )


def test_an_empty_table_is_empty(lab: Lab) -> None:
    lab.brand.parquet_table(
        "facts", {"k": "string"}, pa.table({"k": ["x"], "dt": ["1"]}).slice(0, 0), keys={"dt": "int"}
    )
    share(lab, "facts", ["k", "dt"])
    assert rows(lab.run("SELECT COUNT(*) AS n, MAX(f.dt) AS last FROM facts f")) == {(0, None)}


def test_csv_of_both_serdes_quoted_compressed_and_typed(lab: Lab) -> None:
    header = {"skip.header.line.count": "1"}
    types = {"k": "string", "note": "string", "amount": "decimal(10,2)"}
    quoted = {"separatorChar": ";", "quoteChar": '"'}
    lab.brand.table("quoted", types, OPEN_CSV, quoted, header)
    lab.brand.table("plain", types, LAZY, {"field.delim": "|"}, {})
    body = 'k;note;amount\na;"one; ""two""";1.5\nb;;junk\n'
    lab.brand.s3.put_object(Bucket=lab.brand.data, Key="quoted/1.csv.gz", Body=gzip.compress(body.encode()))
    lab.brand.s3.put_object(
        Bucket=lab.brand.data, Key="plain/1.bz2", Body=bz2.compress(b'c|say "hi"|2\nd|\\N\n')
    )
    lab.brand.s3.put_object(Bucket=lab.brand.data, Key="plain/_SUCCESS", Body=b"no data")
    share(share(lab, "quoted", list(types)), "plain", list(types))

    found = lab.run(
        "SELECT q.k, q.note, q.amount FROM quoted q UNION ALL SELECT p.k, p.note, p.amount FROM plain p"
    )

    assert rows(found) == {
        ("a", 'one; "two"', Decimal("1.50")),
        ("b", "", None),
        ("c", 'say "hi"', Decimal("2.00")),
        ("d", None, None),
    }


def test_json_lines(lab: Lab) -> None:
    lines = [{"k": "a", "n": 1, "other": "x"}, {"n": 2, "k": None}]
    body = "\n".join(json.dumps(line) for line in lines)
    lab.brand.s3.put_object(Bucket=lab.brand.data, Key="facts/1.json", Body=body.encode())
    lab.brand.table("facts", {"k": "string", "n": "int"}, JSON, {}, {})
    share(lab, "facts", ["k", "n"])
    assert rows(lab.run("SELECT f.k, f.n FROM facts f")) == {("a", 1), (None, 2)}


@pytest.mark.parametrize("serde", ["org.apache.hadoop.hive.ql.io.orc.OrcSerde", LAZY])
def test_a_format_that_cannot_be_read_is_named_as_the_reason(lab: Lab, serde: str) -> None:
    lab.brand.table("facts", {"k": "string"}, serde.replace("lazy.LazySimple", "avro.Avro"), {}, {})
    share(lab, "facts", ["k"])
    error = lab.fails("SELECT COUNT(*) AS n FROM facts f")
    assert (error["code"], error["message"]) == (
        "INVALID_RESOURCE",
        "One of the underlying datasets has an unsupported file format.",
    )


def test_two_result_columns_of_one_name_are_an_error(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k"], [("1",)])
    share(lab, "people", ["k"])
    assert lab.fails("SELECT p.k AS a, p.k AS A FROM people p")["code"] == "MALFORMED_QUERY"


def test_errors_of_a_run_show_no_values(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k", "n"], [("secret-value", "98765432109876543210")])
    share(lab, "people", ["k", "n"])
    wide = "CAST(p.n AS DECIMAL(38, 10))"
    error = lab.fails(f"SELECT {wide} * {wide} AS x FROM people p")
    assert "9876543210" not in error["message"]


def test_a_value_that_the_engine_would_read_in_another_way_is_named_by_its_kind(lab: Lab) -> None:
    lab.brand.csv_table("people", ["k"], [("12:34:56",)])
    share(lab, "people", ["k"])
    error = lab.fails("SELECT CAST(p.k AS TIMESTAMP) AS x FROM people p")
    assert "a text was read as a timestamp of a form that the sandbox does not read" in error["message"]
    assert "12:34" not in error["message"]
