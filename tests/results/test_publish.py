"""A release is one object, one partition and one record; doing it again replaces it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from cleanrooms.config.collaboration import Collaboration, Query
from cleanrooms.errors import CatalogError, ReleaseRefused
from cleanrooms.results.collect import Collected, Outcome
from cleanrooms.results.guard import examine
from cleanrooms.results.publish import publish, read, to_parquet
from cleanrooms.results.release import Release, sql_digest
from tests.results.examples import EVERY_TYPE, OVERLAP, WEEK, collaboration, overlap, table
from tests.waiting import until

FOLDER = "clean-rooms/audience_overlap/week=2017-W46/"


@pytest.fixture
def brand(bucket: str) -> Collaboration:
    database = bucket.replace("-", "_")
    return collaboration(bi={"bucket": bucket, "prefix": "clean-rooms", "database": database})


def _publish(
    s3: Any, glue: Any, brand: Collaboration, result: pa.Table, query: Query = OVERLAP, run: str = "q-1"
) -> Release:
    outcome = Outcome.ROWS if result.num_rows else Outcome.EMPTY
    return publish(
        s3,
        glue,
        brand,
        query,
        WEEK,
        Collected(result, outcome, ()),
        examine(result, query),
        protected_query_id=run,
        sql_digest=sql_digest("SELECT 1"),
    )


def _keys(s3: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def _body(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_a_release_is_one_parquet_object_with_its_record_beside_it(
    s3: Any, glue: Any, brand: Collaboration
) -> None:
    release = _publish(s3, glue, brand, overlap())
    assert _keys(s3, brand.bi.bucket) == [FOLDER + "_release.json", FOLDER + "part-00000.parquet"]
    assert release.location == f"s3://{brand.bi.bucket}/{FOLDER}part-00000.parquet"
    assert read(s3, release) == overlap()


def test_the_record_tells_what_was_released(s3: Any, glue: Any, brand: Collaboration) -> None:
    release = _publish(s3, glue, brand, overlap())
    record = json.loads(_body(s3, brand.bi.bucket, FOLDER + "_release.json"))
    assert Release.from_json(record) == release
    assert (record["week"], record["rows"], record["protected_query_id"]) == ("2017-W46", 6, "q-1")
    assert record["guard"]["passed"] is True


def test_glue_shows_the_table_and_the_week(s3: Any, glue: Any, brand: Collaboration) -> None:
    _publish(s3, glue, brand, overlap())
    found = glue.get_table(DatabaseName=brand.bi.database, Name="audience_overlap")["Table"]
    assert [key["Name"] for key in found["PartitionKeys"]] == ["week"]
    assert {c["Name"]: c["Type"] for c in found["StorageDescriptor"]["Columns"]} == {
        "segment": "string",
        "age": "string",
        "households": "bigint",
    }
    partitions = glue.get_partitions(DatabaseName=brand.bi.database, TableName="audience_overlap")[
        "Partitions"
    ]
    assert [(p["Values"], p["StorageDescriptor"]["Location"]) for p in partitions] == [
        (["2017-W46"], f"s3://{brand.bi.bucket}/{FOLDER}")
    ]


def test_publishing_again_changes_no_byte_and_doubles_nothing(
    s3: Any, glue: Any, brand: Collaboration
) -> None:
    first = _publish(s3, glue, brand, overlap())
    before = _body(s3, brand.bi.bucket, FOLDER + "part-00000.parquet")
    second = _publish(s3, glue, brand, overlap())
    assert second == first
    assert _body(s3, brand.bi.bucket, FOLDER + "part-00000.parquet") == before
    partitions = glue.get_partitions(DatabaseName=brand.bi.database, TableName="audience_overlap")[
        "Partitions"
    ]
    assert len(partitions) == 1


def test_a_later_result_replaces_the_week_and_strays_go(s3: Any, glue: Any, brand: Collaboration) -> None:
    _publish(s3, glue, brand, overlap())
    s3.put_object(Bucket=brand.bi.bucket, Key=FOLDER + "part-00001.parquet", Body=to_parquet(overlap()))
    release = _publish(s3, glue, brand, overlap().slice(0, 2), run="q-2")
    assert _keys(s3, brand.bi.bucket) == [FOLDER + "_release.json", FOLDER + "part-00000.parquet"]
    assert read(s3, release).num_rows == 2
    record = json.loads(_body(s3, brand.bi.bucket, FOLDER + "_release.json"))
    assert record["protected_query_id"] == "q-2"


def test_an_empty_result_replaces_rows_of_an_earlier_run(s3: Any, glue: Any, brand: Collaboration) -> None:
    _publish(s3, glue, brand, overlap())
    release = _publish(s3, glue, brand, overlap().slice(0, 0))
    assert (release.outcome, release.rows) == ("empty", 0)
    assert read(s3, release).schema == overlap().schema


def test_a_release_that_was_replaced_since_is_not_read_as_the_old_one(
    s3: Any, glue: Any, brand: Collaboration
) -> None:
    old = _publish(s3, glue, brand, overlap())
    _publish(s3, glue, brand, overlap().slice(1))
    with pytest.raises(CatalogError, match="not what was released for query audience_overlap"):
        read(s3, old)


def test_nothing_is_published_that_the_guard_did_not_pass(s3: Any, glue: Any, brand: Collaboration) -> None:
    small = table(OVERLAP, segment=["a"], age=["b"], households=[3])
    with pytest.raises(ReleaseRefused, match="does not pass this result"):
        _publish(s3, glue, brand, small)
    assert _keys(s3, brand.bi.bucket) == []


def test_a_report_on_another_table_does_not_open_the_door(s3: Any, glue: Any, brand: Collaboration) -> None:
    with pytest.raises(ReleaseRefused, match="does not pass this result"):
        publish(
            s3,
            glue,
            brand,
            OVERLAP,
            WEEK,
            Collected(overlap(), Outcome.ROWS, ()),
            examine(overlap().slice(1), OVERLAP),
            protected_query_id="q-1",
            sql_digest="",
        )


def test_a_column_named_like_the_partition_is_refused(s3: Any, glue: Any, brand: Collaboration) -> None:
    fields = OVERLAP.model_dump()
    fields["columns"][0]["name"] = "week"
    with pytest.raises(ValidationError, match="no column may be called week"):
        Query.model_validate({**fields, "dimensions": ["week", "age"]})


def test_the_digest_of_a_query_covers_text_and_parameters() -> None:
    digests = {sql_digest("a"), sql_digest("b"), sql_digest("a", {"x": "1"}), sql_digest("a", {"x": "2"})}
    assert len(digests) == 4
    assert sql_digest("a", {"x": "1", "y": "2"}) == sql_digest("a", {"y": "2", "x": "1"})


def test_athena_reads_every_type_of_the_published_week(
    aws: Any, s3: Any, glue: Any, brand: Collaboration
) -> None:
    result = table(
        EVERY_TYPE,
        day=["2017-11-13", "2017-11-14"],
        label=["Zoë’s", None],
        member=["true", None],
        people=[12, 30],
        visits=[9007199254740993, 40],
        rate=[0.5, None],
        sales=["12.5", None],
    )
    _publish(s3, glue, brand, result, EVERY_TYPE)
    sql = "SELECT day, label, member, people, visits, rate, sales, week FROM every_type ORDER BY day"
    assert _athena(aws, brand, sql) == [
        ["2017-11-13", "Zoë’s", "true", "12", "9007199254740993", "0.5", "12.5000000000", "2017-W46"],
        ["2017-11-14", None, None, "30", "40", None, None, "2017-W46"],
    ]


def _athena(aws: Any, brand: Collaboration, sql: str) -> list[list[str | None]]:
    athena = aws.client("athena")
    output = {"OutputLocation": f"s3://{brand.bi.bucket}/athena/"}
    context = {"Database": brand.bi.database}
    run = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext=context, ResultConfiguration=output
    )["QueryExecutionId"]
    status = until(
        lambda: athena.get_query_execution(QueryExecutionId=run)["QueryExecution"]["Status"],
        lambda status: status["State"] not in ("QUEUED", "RUNNING"),
    )
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=run)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]
