"""Puts a result that passed the guard where BI reads it: one Parquet object per query and week.

``s3://<bi.bucket>/<bi.prefix>/<query>/week=2017-W46/part-00000.parquet`` in the Glue table ``<query>`` of
``bi.database``. The release record ``_release.json`` lies beside it; engines skip names that begin with an
underscore. Publishing again replaces the week.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from cleanrooms.config.collaboration import BI, Collaboration, Query
from cleanrooms.errors import CatalogError, ReleaseRefused
from cleanrooms.results.collect import Collected, split_location
from cleanrooms.results.columns import glue_columns
from cleanrooms.results.guard import GuardReport
from cleanrooms.results.release import Release
from cleanrooms.tables.catalog import create_or_update_table, upsert_partition
from cleanrooms.tables.parquet import ParquetSink
from cleanrooms.tables.publish import PART, partition_prefix
from cleanrooms.windows import Week

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_s3 import S3Client

WEEK = "week"
RECORD = "_release.json"


def publish(
    s3: S3Client,
    glue: GlueClient,
    collaboration: Collaboration,
    query: Query,
    week: Week,
    collected: Collected,
    report: GuardReport,
    *,
    protected_query_id: str,
    sql_digest: str,
) -> Release:
    """Make the result the week's partition of the query's BI table, in place of an earlier one.

    A result without rows is published too, as an empty partition: it may replace one that had rows. The
    record is written last, so that one without the other marks an interrupted publication.

    :param report: the guard's report on this very table
    :param sql_digest: see :func:`cleanrooms.results.release.sql_digest`
    :raises ReleaseRefused: the guard did not pass this table
    """
    _check(query, collected, report)
    bi = collaboration.bi
    folder = partition_prefix(bi.key(query.name), {WEEK: week.label})
    body = to_parquet(collected.table)
    # Strays first: a reader may miss rows of a foreign file for a moment, but never counts a group twice.
    _remove_strays(s3, bi, folder)
    s3.put_object(
        Bucket=bi.bucket, Key=folder + PART, Body=body, ContentType="application/vnd.apache.parquet"
    )
    _register(glue, bi, query, week)
    release = Release(
        collaboration=collaboration.name,
        query=query.name,
        week=week.label,
        outcome=collected.outcome.value,
        rows=collected.table.num_rows,
        protected_query_id=protected_query_id,
        sql_digest=sql_digest,
        location=f"s3://{bi.bucket}/{folder}{PART}",
        content_digest=hashlib.sha256(body).hexdigest(),
        database=bi.database,
        table=query.name,
        columns=glue_columns(query),
        guard=report.as_json(),
    )
    record = json.dumps(release.as_json(), indent=2, ensure_ascii=False) + "\n"
    s3.put_object(Bucket=bi.bucket, Key=folder + RECORD, Body=record.encode(), ContentType="application/json")
    return release


def read(s3: S3Client, release: Release) -> pa.Table:
    """The table of a release, as the report shows it.

    :raises CatalogError: the object is no longer the one that was released
    """
    bucket, key = split_location(release.location)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if hashlib.sha256(body).hexdigest() != release.content_digest:
        raise CatalogError(
            f"{release.location} is not what was released for query {release.query}, week {release.week}.",
            "Another run published the week since, or somebody changed the object: run the week again.",
            query=release.query,
            week=release.week,
        )
    return pq.read_table(io.BytesIO(body))


def to_parquet(table: pa.Table) -> bytes:
    """The table as one Parquet file; the same rows make the same bytes."""
    file = io.BytesIO()
    sink = ParquetSink(file, table.schema)
    for batch in table.to_batches():
        sink.write(batch)
    sink.close()
    return file.getvalue()


def _check(query: Query, collected: Collected, report: GuardReport) -> None:
    if not report.passed or (report.query, report.rows) != (query.name, collected.table.num_rows):
        raise ReleaseRefused(
            f"The guard's report does not pass this result of query {query.name}.",
            "Run the guard on the result that is to be published.",
            query=query.name,
        )


def _remove_strays(s3: S3Client, bi: BI, folder: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bi.bucket, Prefix=folder):
        for item in page.get("Contents", []):
            if item["Key"] not in (folder + PART, folder + RECORD):
                s3.delete_object(Bucket=bi.bucket, Key=item["Key"])


def _register(glue: GlueClient, bi: BI, query: Query, week: Week) -> None:
    location = f"s3://{bi.bucket}/{bi.key(query.name)}/"
    columns = glue_columns(query)
    create_or_update_table(
        glue, bi.database, query.name, columns, {WEEK: "string"}, location, description=query.title
    )
    upsert_partition(glue, bi.database, query.name, {WEEK: week.label}, columns, location)
