"""The Glue catalog after a crawl, and tables that need none."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cleanrooms.config.source import Source
from cleanrooms.errors import CatalogError
from cleanrooms.tables.catalog import (
    crawler_definition,
    create_or_update_table,
    ensure_crawler,
    upsert_partition,
    verify,
)
from cleanrooms.tables.hive import hive_columns
from cleanrooms.tables.publish import replace_partition
from tests.sources.kit import make_source
from tests.waiting import until

DAY = date(2017, 11, 13)
SCHEMA = pa.schema([("id", pa.int64()), ("email_key", pa.string()), ("amount", pa.decimal128(18, 2))])
COLUMNS = hive_columns(SCHEMA)


@pytest.fixture(scope="session")
def role(aws: Any) -> str:
    arn: str = aws.role(
        "crawler",
        {"Effect": "Allow", "Action": ["s3:*", "glue:*"], "Resource": "*"},
        trust={"Service": "glue.amazonaws.com"},
    )
    return arn


@pytest.fixture
def source(tmp_path: Path, role: str, request: pytest.FixtureRequest) -> Source:
    """A source with a table of its own for each test."""
    table = f"t{abs(hash(request.node.name)) % 10**8}"
    target = {
        "bucket": "lake", "prefix": f"tables/{table}", "database": "brand", "table": table,
        "crawler": table, "crawler_role": role,
    }  # fmt: skip
    return make_source(tmp_path, target=target)


def publish(s3: Any, source: Source, day: date = DAY, schema: pa.Schema = SCHEMA) -> None:
    target = source.target
    with replace_partition(s3, target.bucket, target.prefix, {"dt": day.isoformat()}, schema) as writer:
        writer.write(pa.RecordBatch.from_pylist([{"id": 1}], schema=schema))


def crawl(glue: Any, source: Source) -> None:
    name = ensure_crawler(glue, source)
    glue.start_crawler(Name=name)
    ready = until(lambda: glue.get_crawler(Name=name)["Crawler"], lambda crawler: crawler["State"] == "READY")
    assert ready["LastCrawl"]["Status"] == "SUCCEEDED"


def test_the_crawler_adds_columns_and_lets_partitions_inherit(source: Source) -> None:
    definition = crawler_definition(source)
    assert definition["Targets"] == {"S3Targets": [{"Path": source.target.location}]}
    assert json.loads(definition["Configuration"])["CrawlerOutput"] == {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    }
    assert definition["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert definition["SchemaChangePolicy"]["DeleteBehavior"] == "LOG"


def test_ensuring_a_crawler_again_does_not_touch_it(aws: Any, glue: Any, source: Source) -> None:
    ensure_crawler(glue, source)
    calls = len(aws.audit())
    ensure_crawler(glue, source)
    assert [
        c["operation"] for c in aws.audit()[calls:] if c["operation"] in ("UpdateCrawler", "CreateCrawler")
    ] == []


def test_a_crawler_that_differs_is_updated(glue: Any, source: Source) -> None:
    ensure_crawler(glue, source)
    ensure_crawler(glue, source.model_copy(update={"description": "another"}))
    assert glue.get_crawler(Name=source.target.crawler)["Crawler"]["Description"].endswith("another")


def test_a_crawled_day_is_as_published(s3: Any, glue: Any, source: Source) -> None:
    publish(s3, source)
    crawl(glue, source)
    verify(glue, source.target, COLUMNS, DAY)


def test_a_table_that_is_not_there_is_named(glue: Any, source: Source) -> None:
    with pytest.raises(CatalogError, match=rf"Table brand\.{source.target.table} is not in the Glue catalog"):
        verify(glue, source.target, COLUMNS, DAY)


def test_a_day_that_was_not_crawled_is_named(s3: Any, glue: Any, source: Source) -> None:
    publish(s3, source)
    crawl(glue, source)
    with pytest.raises(CatalogError, match="partition dt=2017-11-14 is missing"):
        verify(glue, source.target, COLUMNS, date(2017, 11, 14))


def test_columns_that_are_missing_or_of_another_type_are_listed(s3: Any, glue: Any, source: Source) -> None:
    publish(s3, source)
    crawl(glue, source)
    with pytest.raises(
        CatalogError, match="column id is bigint and was published as string; column more is missing"
    ):
        verify(glue, source.target, {**COLUMNS, "id": "string", "more": "int"}, DAY)


def test_a_partition_elsewhere_is_named(glue: Any, source: Source) -> None:
    target = source.target
    create_or_update_table(glue, target.database, target.table, COLUMNS, {"dt": "string"}, target.location)
    upsert_partition(glue, target.database, target.table, {"dt": "2017-11-13"}, COLUMNS, "s3://elsewhere/t/")
    with pytest.raises(
        CatalogError, match="points to 's3://elsewhere/t/dt=2017-11-13/' and not to 's3://lake/"
    ):
        verify(glue, target, COLUMNS, DAY)


def test_a_registered_table_and_partition_are_as_published(glue: Any, source: Source) -> None:
    target = source.target
    for _ in range(2):
        create_or_update_table(
            glue, target.database, target.table, COLUMNS, {"dt": "string"}, target.location
        )
        upsert_partition(glue, target.database, target.table, {"dt": "2017-11-13"}, COLUMNS, target.location)
    verify(glue, target, COLUMNS, DAY)
    assert len(glue.get_partitions(DatabaseName=target.database, TableName=target.table)["Partitions"]) == 1


def test_registering_again_brings_columns_up_to_date(glue: Any, source: Source) -> None:
    target = source.target
    for columns in (COLUMNS, {**COLUMNS, "more": "int"}):
        create_or_update_table(
            glue, target.database, target.table, columns, {"dt": "string"}, target.location
        )
        upsert_partition(glue, target.database, target.table, {"dt": "2017-11-13"}, columns, target.location)
    verify(glue, target, {**COLUMNS, "more": "int"}, DAY)


def test_a_column_that_comes_later_is_in_the_table_and_the_old_days_stay(
    s3: Any, glue: Any, source: Source
) -> None:
    publish(s3, source)
    crawl(glue, source)
    wider = SCHEMA.append(pa.field("more", pa.int32()))
    publish(s3, source, date(2017, 11, 14), wider)
    crawl(glue, source)
    verify(glue, source.target, hive_columns(wider), date(2017, 11, 14))
