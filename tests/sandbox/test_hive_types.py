"""Arrow types as a crawler writes them into the catalog."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sandbox.crawl_layout import union
from sandbox.parquet_footers import hive_type


@pytest.mark.parametrize(
    ("arrow", "hive"),
    [
        (pa.bool_(), "boolean"),
        (pa.int8(), "tinyint"),
        (pa.int16(), "smallint"),
        (pa.int32(), "int"),
        (pa.int64(), "bigint"),
        (pa.float32(), "float"),
        (pa.float64(), "double"),
        (pa.decimal128(18, 4), "decimal(18,4)"),
        (pa.date32(), "date"),
        (pa.timestamp("us", "UTC"), "timestamp"),
        (pa.string(), "string"),
        (pa.large_string(), "string"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (pa.binary(), "binary"),
        (pa.binary(16), "binary"),
        (pa.list_(pa.string()), "array<string>"),
        (pa.map_(pa.string(), pa.int32()), "map<string,int>"),
        (pa.struct([("X", pa.int64()), ("y", pa.string())]), "struct<x:bigint,y:string>"),
    ],
    ids=str,
)
def test_a_type_has_its_hive_name(arrow: pa.DataType, hive: str) -> None:
    assert hive_type(arrow) == hive


def test_numbers_widen_and_conflicts_become_text() -> None:
    merged = union([{"a": "int", "b": "date"}, {"a": "bigint", "b": "string", "c": "boolean"}])
    assert merged == {"a": "bigint", "b": "string", "c": "boolean"}
