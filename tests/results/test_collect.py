"""Results are read from S3 whatever the service named its parts."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.errors import ReleaseRefused
from cleanrooms.results.collect import Outcome, collect, split_location
from tests.results.examples import OVERLAP, overlap

RESULT = "protected/collaboration=c1/q1"


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def _csv(*rows: str) -> bytes:
    return "\n".join(["segment,age,households", *rows, ""]).encode()


def _put(s3: Any, bucket: str, **objects: bytes) -> str:
    for name, body in objects.items():
        s3.put_object(Bucket=bucket, Key=f"{RESULT}/{name}", Body=body)
    return f"s3://{bucket}/{RESULT}/"


def test_parquet_parts_become_one_table_sorted_by_the_dimensions(s3: Any, bucket: str) -> None:
    shuffled = overlap().take([5, 0, 3, 1, 4, 2])
    location = _put(s3, bucket, b=_parquet(shuffled.slice(0, 2)), a=_parquet(shuffled.slice(2)))
    collected = collect(s3, location, OVERLAP)
    assert collected.table == overlap()
    assert collected.outcome is Outcome.ROWS
    assert collected.parts == (f"{RESULT}/a", f"{RESULT}/b")


def test_csv_with_a_header_and_without_an_extension_is_read(s3: Any, bucket: str) -> None:
    location = _put(s3, bucket, **{"000": _csv('"gold, old",18-34,120', 'new,"35+",41')})
    assert collect(s3, location, OVERLAP).table.to_pylist() == [
        {"segment": "gold, old", "age": "18-34", "households": 120},
        {"segment": "new", "age": "35+", "households": 41},
    ]


def test_gzipped_csv_is_read(s3: Any, bucket: str) -> None:
    location = _put(s3, bucket, **{"part-0.csv.gz": gzip.compress(_csv("gold,35+,120"))})
    assert collect(s3, location, OVERLAP).table.num_rows == 1


def test_in_csv_an_empty_field_is_null_and_a_quoted_one_is_empty_text(s3: Any, bucket: str) -> None:
    location = _put(s3, bucket, part=_csv(',"",120'))
    assert collect(s3, location, OVERLAP).table.to_pylist() == [
        {"segment": None, "age": "", "households": 120}
    ]


def test_probes_markers_and_siblings_are_not_data(s3: Any, bucket: str) -> None:
    location = _put(s3, bucket, part=_csv("gold,35+,120"), probe=b"", _SUCCESS=b"x")
    s3.put_object(Bucket=bucket, Key=f"{RESULT}/_temporary/0/part", Body=_csv("new,35+,50"))
    s3.put_object(Bucket=bucket, Key=f"{RESULT}-of-another/part", Body=_csv("new,35+,50"))
    for address in (location, location.rstrip("/"), location + "part"):
        assert collect(s3, address, OVERLAP).table["segment"].to_pylist() == ["gold"]


def test_a_file_without_rows_is_an_empty_result_and_not_an_error(s3: Any, bucket: str) -> None:
    collected = collect(s3, _put(s3, bucket, part=_csv()), OVERLAP)
    assert collected.outcome is Outcome.EMPTY
    assert collected.table == overlap().slice(0, 0)


def test_no_file_at_all_is_an_outcome_of_its_own(s3: Any, bucket: str) -> None:
    collected = collect(s3, _put(s3, bucket, probe=b""), OVERLAP)
    assert collected.outcome is Outcome.NOTHING_WRITTEN
    assert collected.table.num_rows == 0


def test_parts_of_two_results_are_never_mixed(s3: Any, bucket: str) -> None:
    _put(s3, bucket, part=_csv("gold,35+,120"))
    s3.put_object(Bucket=bucket, Key="protected/collaboration=c1/q2/part", Body=_csv("gold,35+,120"))
    with pytest.raises(ReleaseRefused, match="parts of 2 results"):
        collect(s3, f"s3://{bucket}/protected/collaboration=c1/", OVERLAP)


def test_a_result_of_people_is_too_large_to_collect(s3: Any, bucket: str) -> None:
    location = _put(s3, bucket, part=_csv("gold,35+,120"))
    with pytest.raises(ReleaseRefused, match="at most 10 are collected"):
        collect(s3, location, OVERLAP, largest=10)


@pytest.mark.parametrize(
    "body",
    [
        _parquet(overlap())[:-10],
        gzip.compress(_csv("gold,35+,120"))[:-9],
        b"\x1f\x8b not really gzip",
        _csv("gold,35+,120,secret"),
        b"segment,age,households\n\xff\xfe,35+,120\n",
    ],
    ids=["cut Parquet", "cut gzip", "broken gzip", "ragged CSV", "not UTF-8"],
)
def test_a_broken_part_is_named_and_its_content_is_not(s3: Any, bucket: str, body: bytes) -> None:
    location = _put(s3, bucket, part=body)
    with pytest.raises(ReleaseRefused, match=f"{RESULT}/part of query audience_overlap") as refusal:
        collect(s3, location, OVERLAP)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    "location", ["", "bucket/prefix", "https://bucket/prefix", "s3://bucket", "s3://bucket/"]
)
def test_a_location_that_is_no_s3_prefix_is_refused(location: str) -> None:
    with pytest.raises(ReleaseRefused, match="not of the form"):
        split_location(location)


def test_characters_that_mean_something_in_urls_are_plain_in_keys() -> None:
    assert split_location("s3://bucket/a?b#c=d/%20/") == ("bucket", "a?b#c=d/%20/")
