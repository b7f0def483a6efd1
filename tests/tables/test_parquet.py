"""Parquet whose bytes depend on rows and schema only."""

from __future__ import annotations

import io
import random
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanrooms.tables import parquet
from cleanrooms.tables.hive import hive_columns
from cleanrooms.tables.parquet import ParquetSink

MADE = {b"cleanrooms.identity": b'{"algorithm": "HMAC_SHA256"}'}
SCHEMA = pa.schema(
    [
        pa.field("email_key", pa.string(), metadata=MADE),
        ("segment", pa.string()),
        ("amount", pa.decimal128(18, 2)),
    ]
)
RNG = random.Random(3)
ROWS = pa.RecordBatch.from_arrays(
    [
        pa.array([RNG.randbytes(32).hex() if n % 9 else None for n in range(5000)]),
        pa.array([RNG.choice(["gold", "silver", None]) for _ in range(5000)]),
        pa.array([Decimal(RNG.randrange(10**6)) / 100 for _ in range(5000)], pa.decimal128(18, 2)),
    ],
    schema=SCHEMA,
)


def written(*batches: pa.RecordBatch, schema: pa.Schema = SCHEMA) -> bytes:
    file = io.BytesIO()
    sink = ParquetSink(file, schema)
    for batch in batches:
        sink.write(batch)
    sink.close()
    assert sink.rows == sum(batch.num_rows for batch in batches)
    return file.getvalue()


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(0, 5000), max_size=12))
def test_bytes_do_not_depend_on_how_rows_arrive(cuts: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 1024)
        borders = [0, *sorted(cuts), 5000]
        pieces = [ROWS.slice(a, b - a) for a, b in pairwise(borders)]
        assert written(*pieces) == written(ROWS)


def test_row_groups_are_full_whatever_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 1024)
    file = pq.ParquetFile(io.BytesIO(written(*[ROWS.slice(n, 10) for n in range(0, 5000, 10)])))
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [1024] * 4 + [904]


def test_rows_come_back() -> None:
    assert pq.read_table(io.BytesIO(written(ROWS))) == pa.Table.from_batches([ROWS])


def test_columns_keep_the_note_on_how_they_were_made() -> None:
    schema = pq.read_schema(io.BytesIO(written(ROWS)))
    assert schema.field("email_key").metadata == MADE


def test_only_values_that_repeat_have_a_dictionary_and_all_columns_zstd() -> None:
    group = pq.ParquetFile(io.BytesIO(written(ROWS))).metadata.row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(3)}
    assert {name: column.has_dictionary_page for name, column in columns.items()} == {
        "email_key": False,
        "segment": True,
        "amount": False,
    }
    assert {column.compression for column in columns.values()} == {"ZSTD"}


def test_a_dictionary_is_decided_by_values_all_over_the_first_row_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parquet, "_SAMPLED_ROWS", 100)
    schema = pa.schema([("late", pa.int64()), ("early", pa.int64()), ("never", pa.string())])
    late = [n if n < 1000 else 7 for n in range(5000)]
    early = [7 if n < 1000 else n for n in range(5000)]
    rows = pa.RecordBatch.from_arrays(
        [pa.array(late), pa.array(early), pa.nulls(5000, pa.string())], schema=schema
    )
    group = pq.ParquetFile(io.BytesIO(written(rows, schema=schema))).metadata.row_group(0)
    assert [group.column(n).has_dictionary_page for n in range(3)] == [True, False, True]


def test_digests_have_no_statistics_and_other_columns_do() -> None:
    group = pq.ParquetFile(io.BytesIO(written(ROWS))).metadata.row_group(0)
    assert [group.column(n).is_stats_set for n in range(3)] == [False, True, True]


def test_no_rows_are_a_file_with_the_schema() -> None:
    table = pq.read_table(io.BytesIO(written()))
    assert (table.num_rows, hive_columns(table.schema)) == (0, hive_columns(SCHEMA))


def test_a_column_without_values_keeps_its_type() -> None:
    empty = pa.RecordBatch.from_pylist([{"segment": "gold"}], schema=SCHEMA)
    assert pq.read_schema(io.BytesIO(written(empty))).types == SCHEMA.types


def test_the_file_is_left_open_for_its_owner_to_commit() -> None:
    file = io.BytesIO()
    ParquetSink(file, SCHEMA).close()
    assert not file.closed
