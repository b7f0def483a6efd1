"""Arrow types as Hive names them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from cleanrooms.errors import CatalogError
from cleanrooms.tables.hive import hive_columns, hive_type


@pytest.mark.parametrize(
    ("arrow", "hive"),
    [
        (pa.string(), "string"),
        (pa.large_string(), "string"),
        (pa.int32(), "int"),
        (pa.int64(), "bigint"),
        (pa.float64(), "double"),
        (pa.decimal128(18, 2), "decimal(18,2)"),
        (pa.bool_(), "boolean"),
        (pa.date32(), "date"),
        (pa.timestamp("us"), "timestamp"),
        (pa.timestamp("ms", "UTC"), "timestamp"),
        (pa.binary(32), "binary"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (pa.list_(pa.int32()), "array<int>"),
        (pa.map_(pa.string(), pa.int64()), "map<string,bigint>"),
        (pa.struct([("A", pa.int32()), ("b", pa.string())]), "struct<a:int,b:string>"),
    ],
)
def test_types(arrow: pa.DataType, hive: str) -> None:
    assert hive_type(arrow) == hive


def test_a_type_that_hive_lacks_is_named() -> None:
    with pytest.raises(CatalogError, match=r"Hive has no type for Arrow's time64\[us\]"):
        hive_type(pa.time64("us"))


def test_names_are_in_lower_case_and_must_stay_apart() -> None:
    assert hive_columns(pa.schema([("Email_Key", pa.string())])) == {"email_key": "string"}
    with pytest.raises(CatalogError, match="differ by upper and lower case only"):
        hive_columns(pa.schema([("a", pa.string()), ("A", pa.string())]))
