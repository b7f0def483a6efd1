"""Edge values of every type, as Parquet tables that Spark and the sandbox's engine both read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_DAY, _MOMENT = dt.date, dt.datetime
_NAN, _INF = float("nan"), float("inf")

_INTS = [0, 1, -1, 2, 3, 7, -7, 10, 2147483647, -2147483648, None, 100, 255]
_BIGS = [0, 1, -1, 5, -5, 9223372036854775807, -9223372036854775808, None, 1000000, 4294967296, 86400]
_SMALLS = [0, 1, -1, 32767, -32768, None, 12]
_TINIES = [0, 1, -1, 127, -128, None, 5]
_DOUBLES = [
    0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    1.005,
    2.675,
    1e20,
    -1e20,
    _NAN,
    _INF,
    -_INF,
    None,
    1e-7,
    0.1,
    123456.789,
    -2.7,
]
_DECIMALS = [
    Decimal(text) if text else None
    for text in (
        "0.00",
        "1.00",
        "-1.00",
        "0.05",
        "2.25",
        "-2.25",
        "2.35",
        "99999999.99",
        "-99999999.99",
        "",
        "12.34",
        "7.00",
    )
]
_WIDE = [
    Decimal(text) if text else None
    for text in (
        "0.000000000000000000",
        "1.000000000000000000",
        "-0.000000000000000001",
        "12345678901.123456789012345678",
        "",
        "0.100000000000000000",
        "-3.333333333333333333",
        "0.000000123000000000",
    )
]
_TEXTS = [
    "",
    " ",
    "a",
    "A",
    "abc",
    "abcabc",
    "Hello World",
    "  padded  ",
    "straße",
    "İstanbul",
    "ΟΔΟΣ ΣΑΣ",
    "日本語",
    "😀x",
    "a,b,,c",
    "a.b.c",
    "100%",
    "a_c",
    "line\nbreak",
    "tab\tx",
    None,
    "ﬁn",
    "NULL",
    "e\u0301",
    "x'y\"z",
]
_NUMERALS = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "+5",
    " 12 ",
    "12.7",
    "-12.7",
    ".5",
    "5.",
    "1e3",
    "1E-2",
    "0x10",
    "1_000",
    "1,5",
    "2147483648",
    "9223372036854775808",
    "NaN",
    "Infinity",
    "-inf",
    "true",
    "F",
    " yes ",
    "1.5f",
    "1d",
    "\t7\n",
    None,
    "abc",
    "128",
    "99999999999.995",
    "12.345",
    "+",
    "-",
    ".",
    "1.",
    "+.5",
    "t",
    "n",
    "on",
    "1L",
    "--1",
    "1 2",
]
_MOMENTS = [
    "2020-02-29",
    "2020-2-9",
    "2020",
    "2020-02",
    "2020-02-29 12:34:56",
    "2020-02-29T12:34:56.789Z",
    "2021-02-29",
    " 2020-01-01 ",
    "2020/01/02",
    "20200102",
    "1583-01-01",
    "9990-12-31 23:59:59.999999",
    "2020-01-01 1:2:3",
    "2020-01-01 12:30",
    "2020-01-01 12",
    "2020-01-01 00:00:00+02:00",
    "2020-01-01T00:00:00-0530",
    "1969-12-31 23:59:59.5",
    "2020-01-01x",
    "2020-13-01",
    "2020-01-01 24:00:00",
    None,
    "",
    "now",
    "2020-01-01 10:00:00 UTC",
    "2020-01-01 ",
    "2020-01-01T",
    "2020-01-01 12:30:45.1234567",
    "2020-01-01 00:00:00 America/New_York",
    "2020-1-1 1:1:1.1",
    "01/02/2020",
    "2020-06-15 13:45:30",
    "+2020-01-01",
    "2020-00-10",
]
_DAYS = [
    _DAY(2020, 2, 29),
    _DAY(2021, 1, 31),
    _DAY(1970, 1, 1),
    _DAY(1969, 12, 31),
    _DAY(1900, 3, 1),
    _DAY(2020, 12, 31),
    _DAY(2021, 1, 1),
    None,
    _DAY(2017, 1, 1),
    _DAY(1583, 1, 1),
    _DAY(9990, 12, 31),
    _DAY(2020, 1, 31),
    _DAY(2016, 1, 3),
]
_TIMES = [
    _MOMENT(2020, 2, 29, 12, 34, 56, 789000),
    _MOMENT(1969, 12, 31, 23, 59, 59, 500000),
    _MOMENT(1970, 1, 1),
    None,
    _MOMENT(2021, 1, 31, 23, 59, 59, 999999),
    _MOMENT(2020, 3, 8, 7, 0),
    _MOMENT(2020, 11, 1, 6, 30),
    _MOMENT(2020, 1, 1, 0, 0, 1),
    _MOMENT(1900, 1, 1, 5, 6, 7),
    _MOMENT(2020, 6, 15, 13, 45, 30),
]
_BYTES = [b"", b"abc", b"\x00\x01", None, "é".encode()]
_INT_LISTS = [[], [1], [1, 2, 3], [3, None, 1, 3], None, [None], [1, 2, 2, 1], [5, 4]]
_TEXT_LISTS = [[], ["a"], ["a", None, "b"], None, ["", "x", "x"], ["b", "a"]]
_JSONS = [
    '{"a":1,"b":{"c":"x"},"d":[1,2,{"e":null}]}',
    '{"a":"text","b":null}',
    "[1,2,3]",
    "junk",
    "",
    None,
    '"a"',
    "1",
    '{"a":1.0,"b":true}',
    '{"a":"q\\"uote é"}',
    '{"a": {"x" : [ 1 , 2 ]}}',
    '{"a":1e3}',
    '{"a.b":2,"A":3}',
    '{"a":[]}',
]

# Name, Spark's type, Arrow's type, values. A second column of a type turns slower, so that all pairs meet.
_FIRST = [
    ("bo", "boolean", pa.bool_(), [True, False, None]),
    ("ti", "tinyint", pa.int8(), _TINIES),
    ("sm", "smallint", pa.int16(), _SMALLS),
    ("i", "int", pa.int32(), _INTS),
    ("b", "bigint", pa.int64(), _BIGS),
    ("f", "float", pa.float32(), [0.0, 1.5, -2.5, _NAN, None, 0.1, 3e10, 16777217.0]),
    ("d", "double", pa.float64(), _DOUBLES),
    ("m", "decimal(10,2)", pa.decimal128(10, 2), _DECIMALS),
    ("w", "decimal(38,18)", pa.decimal128(38, 18), _WIDE),
    ("s", "string", pa.string(), _TEXTS),
    ("n", "string", pa.string(), _NUMERALS),
    ("y", "string", pa.string(), _MOMENTS),
    ("day", "date", pa.date32(), _DAYS),
    ("ts", "timestamp", pa.timestamp("us", "UTC"), _TIMES),
    ("bin", "binary", pa.binary(), _BYTES),
    ("ai", "array<int>", pa.list_(pa.int32()), _INT_LISTS),
    ("ax", "array<string>", pa.list_(pa.string()), _TEXT_LISTS),
    ("js", "string", pa.string(), _JSONS),
]
_SECOND = [
    ("bo2", "boolean", pa.bool_(), [True, False, None]),
    ("i2", "int", pa.int32(), [0, 1, -1, 2, -3, None, 5]),
    ("b2", "bigint", pa.int64(), [0, 2, -3, 9223372036854775807, None]),
    ("d2", "double", pa.float64(), [0.0, 2.0, -0.5, _NAN, None, _INF, 0.1]),
    (
        "m2",
        "decimal(10,2)",
        pa.decimal128(10, 2),
        [Decimal("0.00"), Decimal("3.00"), Decimal("-0.07"), None, Decimal("99999999.99")],
    ),
    ("w2", "decimal(38,18)", pa.decimal128(38, 18), [Decimal("0"), Decimal("3"), None, Decimal("-0.07")]),
    ("s2", "string", pa.string(), ["", "a", "abc", "x", "%", None, ","]),
    ("n2", "string", pa.string(), ["1", " 2", "12.7", "abc", None, "", "-1"]),
    ("y2", "string", pa.string(), ["2020-01-01", "2020-02-29 12:34:56", None, "junk", "2020"]),
    (
        "day2",
        "date",
        pa.date32(),
        [_DAY(2020, 2, 29), _DAY(2020, 1, 1), None, _DAY(2019, 12, 31), _DAY(2020, 3, 31)],
    ),
    (
        "ts2",
        "timestamp",
        pa.timestamp("us", "UTC"),
        [_MOMENT(2020, 2, 29), None, _MOMENT(2020, 1, 1, 0, 0, 1), _MOMENT(2020, 2, 29, 12, 34, 56, 789000)],
    ),
    ("ai2", "array<int>", pa.list_(pa.int32()), [[1, 3], [], None, [None, 2]]),
]

ROWS = 260
TYPES = {"k": "int", "g": "int", **{name: spark for name, spark, _, _ in (*_FIRST, *_SECOND)}}


def table() -> pa.Table:
    """The edge values; ``k`` numbers the rows and ``g`` puts them into groups."""
    columns: dict[str, Any] = {
        "k": pa.array(range(ROWS), pa.int32()),
        "g": pa.array([row % 7 if row % 11 else None for row in range(ROWS)], pa.int32()),
    }
    for name, _, arrow, values in _FIRST:
        columns[name] = pa.array([values[row % len(values)] for row in range(ROWS)], arrow)
    for place, (name, _, arrow, values) in enumerate(_SECOND):
        # A step of its own for each column, without a common factor with the first columns' lengths.
        columns[name] = pa.array(
            [values[(row // (3 + place % 3)) % len(values)] for row in range(ROWS)], arrow
        )
    return pa.table(columns)


def write(path: Path) -> None:
    """Writes the table as one Parquet file."""
    pq.write_table(table(), path)
