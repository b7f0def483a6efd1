"""A partition appears whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanrooms.tables.publish import PART_BYTES, Upload, partition_prefix, replace_partition, upload

SCHEMA = pa.schema([("n", pa.int64())])
DAY = {"dt": "2017-11-13"}
FOLDER = "tables/t/dt=2017-11-13/"
KEY = FOLDER + "part-00000.parquet"


@pytest.fixture(autouse=True)
def bucket(s3: Any) -> Iterator[None]:
    """A bucket of this file's own, empty for each test."""
    s3.create_bucket(Bucket="parts")
    yield
    for item in s3.list_objects_v2(Bucket="parts").get("Contents", []):
        s3.delete_object(Bucket="parts", Key=item["Key"])


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="parts").get("Contents", [])]


def uploads(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_multipart_uploads(Bucket="parts").get("Uploads", [])]


def publish(s3: Any, *numbers: int) -> None:
    with replace_partition(s3, "parts", "tables/t", DAY, SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pylist([{"n": n} for n in numbers], schema=SCHEMA))


def publish_and_fail(s3: Any, error: type[BaseException]) -> None:
    with replace_partition(s3, "parts", "tables/t", DAY, SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pylist([{"n": 2}], schema=SCHEMA))
        raise error


def published(s3: Any) -> list[int]:
    body = s3.get_object(Bucket="parts", Key=KEY)["Body"].read()
    return list(pq.read_table(io.BytesIO(body))["n"].to_pylist())


def test_a_partition_is_one_object_in_hives_layout(s3: Any) -> None:
    publish(s3, 1, 2)
    assert keys(s3) == [KEY]
    assert published(s3) == [1, 2]


def test_a_partition_is_replaced_and_leftovers_are_removed(s3: Any) -> None:
    publish(s3, 1)
    for name in (
        FOLDER + "part-00001.parquet",
        FOLDER + "old/x.parquet",
        "tables/t/dt=2017-11-14/part-00000.parquet",
    ):
        s3.put_object(Bucket="parts", Key=name, Body=b"x")
    publish(s3, 2)
    assert keys(s3) == [KEY, "tables/t/dt=2017-11-14/part-00000.parquet"]
    assert published(s3) == [2]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_leaves_the_old_partition_and_no_upload(s3: Any, error: type[BaseException]) -> None:
    publish(s3, 1)
    with pytest.raises(error):
        publish_and_fail(s3, error)
    assert published(s3) == [1]
    assert uploads(s3) == []


def test_nothing_shows_while_it_is_written_even_in_many_parts(s3: Any) -> None:
    with upload(s3, "parts", KEY) as file:
        file.write(bytes(PART_BYTES + 1))
        assert uploads(s3) == [KEY]
        assert keys(s3) == []
    assert s3.head_object(Bucket="parts", Key=KEY)["ContentLength"] == PART_BYTES + 1
    assert uploads(s3) == []


def test_uploads_that_a_killed_process_left_behind_are_aborted(s3: Any) -> None:
    left = s3.create_multipart_upload(Bucket="parts", Key=KEY)["UploadId"]
    s3.upload_part(Bucket="parts", Key=KEY, UploadId=left, PartNumber=1, Body=b"x")
    other = s3.create_multipart_upload(Bucket="parts", Key=KEY + ".other")
    publish(s3, 1)
    assert uploads(s3) == [KEY + ".other"]
    s3.abort_multipart_upload(Bucket="parts", Key=other["Key"], UploadId=other["UploadId"])


def test_an_abandoned_upload_never_appears_by_itself(s3: Any) -> None:
    started = Upload(s3, "parts", KEY)
    started.file.write(b"half")
    started.abort()
    del started
    assert (keys(s3), uploads(s3)) == ([], [])


def test_a_failed_commit_leaves_the_old_partition(s3: Any, aws: Any) -> None:
    publish(s3, 1)
    aws.faults({"match": "^s3 POST .* CompleteMultipartUpload$", "status": 500, "code": "InternalError"})
    try:
        with pytest.raises(Exception, match="InternalError"):
            publish(s3, 2)
    finally:
        aws.faults()
    assert published(s3) == [1]
    publish(s3, 2)
    assert published(s3) == [2]


@pytest.mark.parametrize(
    ("prefix", "values", "folder"),
    [
        ("lake/t/", {"dt": "2017-11-13"}, "lake/t/dt=2017-11-13/"),
        ("", {"week": "2017-W46"}, "week=2017-W46/"),
        ("/t", {"a": "1", "b": "2"}, "t/a=1/b=2/"),
    ],
)
def test_partition_prefix(prefix: str, values: dict[str, str], folder: str) -> None:
    assert partition_prefix(prefix, values) == folder
