"""Crawlers over real Parquet objects in the sandbox's S3."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testing import Sandbox
from tests.sandbox.parquet import parquet

Names = Callable[[str], str]
GLUE = {"Service": "glue.amazonaws.com"}
MERGE = json.dumps({"Version": 1.0, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}})
INHERIT = json.dumps(
    {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
)


@dataclass
class Lake:
    """A bucket with a prefix and a crawler on it."""

    aws: Sandbox
    name: str

    def put(self, day: str, **columns: Any) -> None:
        key = f"in/People/dt={day}/part-0.parquet" if day else "in/People/part-0.parquet"
        self.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=parquet(**columns))

    def delete(self, day: str) -> None:
        self.aws.client("s3").delete_object(Bucket=self.name, Key=f"in/People/dt={day}/part-0.parquet")

    def crawler(self, role: str | None = None, **more: Any) -> None:
        self.aws.client("glue").create_crawler(
            Name=self.name,
            Role=role or self.role("s3:GetObject", "s3:ListBucket"),
            DatabaseName=self.name,
            **{"Targets": {"S3Targets": [{"Path": f"s3://{self.name}/in/People/"}]}, **more},
        )

    def role(self, *actions: str, trust: Any = GLUE) -> str:
        resources = [f"arn:aws:s3:::{self.name}", f"arn:aws:s3:::{self.name}/in/*"]
        statements = [{"Effect": "Allow", "Action": list(actions), "Resource": resources}] if actions else []
        return self.aws.role(f"{self.name}-crawler", *statements, trust=trust)

    def crawl(self) -> dict[str, Any]:
        self.aws.client("glue").start_crawler(Name=self.name)
        return self.aws.crawled(self.name)

    def metrics(self) -> dict[str, int]:
        run = self.aws.client("glue").list_crawls(CrawlerName=self.name)["Crawls"][0]
        return {name: count for name, count in json.loads(run["Summary"]).items() if count}

    def table(self, name: str = "people") -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("glue").get_table(DatabaseName=self.name, Name=name)["Table"]
        return found

    def columns(self, name: str = "people") -> dict[str, str]:
        return {column["Name"]: column["Type"] for column in self.table(name)["StorageDescriptor"]["Columns"]}

    def partitions(self, **more: Any) -> dict[str, dict[str, Any]]:
        glue = self.aws.client("glue")
        found = glue.get_partitions(DatabaseName=self.name, TableName="people", **more)["Partitions"]
        return {partition["Values"][0]: partition for partition in found}


@pytest.fixture
def lake(aws: Sandbox, fresh: Names) -> Lake:
    found = Lake(aws, fresh("lake"))
    aws.client("s3").create_bucket(Bucket=found.name)
    return found


def test_folders_become_a_table_with_partitions(lake: Lake) -> None:
    lake.put("2026-01-01", Email_Key=["a"], n=[1])
    lake.put("2026-01-02", Email_Key=["b"], n=[2])
    lake.crawler()
    assert lake.crawl()["Status"] == "SUCCEEDED"
    table = lake.table()
    assert lake.columns() == {"email_key": "string", "n": "bigint"}
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert table["StorageDescriptor"]["Location"] == f"s3://{lake.name}/in/People/"
    assert table["Parameters"]["classification"] == "parquet"
    assert table["Parameters"]["recordCount"] == "2"
    locations = {day: item["StorageDescriptor"]["Location"] for day, item in lake.partitions().items()}
    assert locations == {
        "2026-01-01": f"s3://{lake.name}/in/People/dt=2026-01-01/",
        "2026-01-02": f"s3://{lake.name}/in/People/dt=2026-01-02/",
    }
    assert lake.metrics() == {"TablesCreated": 1, "PartitionsCreated": 2}


def test_a_second_crawl_adds_partitions_and_columns(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler()
    lake.crawl()
    lake.put("2026-01-02", n=[2], city=["x"])
    lake.crawl()
    assert lake.columns() == {"n": "bigint", "city": "string"}
    assert lake.metrics() == {"TablesUpdated": 1, "PartitionsCreated": 1}
    lake.crawl()
    assert lake.metrics() == {}


def test_by_default_columns_that_are_gone_leave_the_table(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1], old=[1])
    lake.crawler()
    lake.crawl()
    lake.put("2026-01-01", n=[1])
    lake.crawl()
    assert lake.columns() == {"n": "bigint"}


def test_merge_new_columns_keeps_old_columns_and_their_types(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1], old=[1])
    lake.crawler(Configuration=MERGE)
    lake.crawl()
    lake.put("2026-01-01", n=["now text"], new=[True])
    lake.crawl()
    assert lake.columns() == {"n": "bigint", "old": "bigint", "new": "boolean"}


def test_update_behavior_log_leaves_the_table_but_adds_partitions(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    lake.crawl()
    lake.put("2026-01-02", n=[1], city=["x"])
    lake.crawl()
    assert lake.columns() == {"n": "bigint"}
    assert sorted(lake.partitions()) == ["2026-01-01", "2026-01-02"]


@pytest.mark.parametrize(("configuration", "columns"), [("", ["n"]), (INHERIT, ["n", "city"])])
def test_partitions_inherit_the_tables_columns_when_asked_to(
    lake: Lake, configuration: str, columns: list[str]
) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler(Configuration=configuration)
    lake.crawl()
    lake.put("2026-01-02", n=[1], city=["x"])
    lake.crawl()
    found = lake.partitions()["2026-01-01"]["StorageDescriptor"]["Columns"]
    assert [column["Name"] for column in found] == columns


@pytest.mark.parametrize(
    ("behavior", "partitions", "deprecated"),
    [
        ("LOG", ["2026-01-01"], False),
        ("DEPRECATE_IN_DATABASE", ["2026-01-01"], True),
        ("DELETE_FROM_DATABASE", None, None),
    ],
)
def test_data_that_is_gone_is_treated_by_the_delete_behavior(
    lake: Lake, behavior: str, partitions: list[str] | None, deprecated: bool | None
) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler(SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behavior})
    lake.crawl()
    lake.delete("2026-01-01")
    lake.crawl()
    if partitions is None:
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            lake.table()
    else:
        assert ("DEPRECATED_BY_CRAWLER" in lake.table()["Parameters"]) is deprecated
        assert list(lake.partitions()) == partitions


def test_delete_from_database_removes_a_partition(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.put("2026-01-02", n=[1])
    lake.crawler(
        SchemaChangePolicy={
            "UpdateBehavior": "UPDATE_IN_DATABASE",
            "DeleteBehavior": "DELETE_FROM_DATABASE",
        }
    )
    lake.crawl()
    lake.delete("2026-01-01")
    lake.crawl()
    assert list(lake.partitions()) == ["2026-01-02"]


def test_hidden_empty_and_broken_objects_are_no_data(lake: Lake) -> None:
    s3 = lake.aws.client("s3")
    lake.put("2026-01-01", n=[1])
    for key, body in (("_SUCCESS", b""), ("_tmp/x", b"x"), (".part", b"x"), ("dt=2026-01-01/bad", b"no")):
        s3.put_object(Bucket=lake.name, Key=f"in/People/{key}", Body=body)
    lake.crawler()
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert lake.table()["Parameters"]["objectCount"] == "1"


def test_names_get_the_prefix_and_lose_odd_characters(lake: Lake) -> None:
    key = "in/Ad-Impressions/a.parquet"
    lake.aws.client("s3").put_object(Bucket=lake.name, Key=key, Body=parquet(n=[1]))
    lake.crawler(Targets={"S3Targets": [{"Path": f"s3://{lake.name}/in/Ad-Impressions"}]}, TablePrefix="raw_")
    lake.crawl()
    assert lake.columns("raw_ad_impressions") == {"n": "bigint"}
    assert lake.table("raw_ad_impressions")["PartitionKeys"] == []


def test_a_long_footer_is_read_whole(lake: Lake) -> None:
    lake.put("", **{f"column_number_{number:04}": [number] for number in range(1500)})
    lake.crawler()
    lake.crawl()
    assert len(lake.columns()) == 1500


def test_a_running_crawler_refuses_start_update_and_delete(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler()
    lake.aws.faults({"match": f"^s3 GET /{lake.name}/", "delay": 1.0, "internal": True})
    glue = lake.aws.client("glue")
    glue.start_crawler(Name=lake.name)
    assert glue.get_crawler(Name=lake.name)["Crawler"]["State"] == "RUNNING"
    assert glue.list_crawls(CrawlerName=lake.name)["Crawls"][0]["State"] == "RUNNING"
    for call in (glue.start_crawler, glue.update_crawler, glue.delete_crawler):
        with pytest.raises(glue.exceptions.CrawlerRunningException):
            call(Name=lake.name)
    assert lake.aws.crawled(lake.name)["Status"] == "SUCCEEDED"


def test_a_stopped_crawler_says_cancelled(lake: Lake) -> None:
    for day in range(1, 4):
        lake.put(f"2026-01-0{day}", n=[1])
    lake.crawler()
    lake.aws.faults({"match": f"^s3 GET /{lake.name}/", "delay": 0.5, "times": 3, "internal": True})
    glue = lake.aws.client("glue")
    glue.start_crawler(Name=lake.name)
    glue.stop_crawler(Name=lake.name)
    assert lake.aws.crawled(lake.name)["Status"] == "CANCELLED"
    assert glue.list_crawls(CrawlerName=lake.name)["Crawls"][0]["State"] == "STOPPED"
    with pytest.raises(glue.exceptions.CrawlerNotRunningException):
        glue.stop_crawler(Name=lake.name)


def test_metrics_report_the_last_run(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler()
    lake.crawl()
    glue = lake.aws.client("glue")
    (metrics,) = glue.get_crawler_metrics(CrawlerNameList=[lake.name])["CrawlerMetricsList"]
    assert (metrics["TablesCreated"], metrics["StillEstimating"]) == (1, False)
    assert metrics["LastRuntimeSeconds"] > 0


@pytest.mark.parametrize(
    ("actions", "trust", "message"),
    [
        (["s3:GetObject", "s3:ListBucket"], {"Service": "cleanrooms.amazonaws.com"}, "unable to assume role"),
        (["s3:GetObject"], GLUE, "s3:ListBucket"),
        (["s3:ListBucket"], GLUE, "s3:GetObject"),
    ],
)
def test_a_role_without_the_rights_fails_the_crawl(
    lake: Lake, actions: list[str], trust: dict[str, str], message: str
) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler(role=lake.role(*actions, trust=trust))
    last = lake.crawl()
    assert last["Status"] == "FAILED"
    assert message in last["ErrorMessage"]
    (run,) = lake.aws.client("glue").list_crawls(CrawlerName=lake.name)["Crawls"]
    assert (run["State"], run["ErrorMessage"]) == ("FAILED", last["ErrorMessage"])


def test_an_encrypted_object_needs_its_key(lake: Lake) -> None:
    key = lake.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    lake.aws.client("s3").put_object(
        Bucket=lake.name,
        Key="in/People/a.parquet",
        Body=parquet(n=[1]),
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
    )
    lake.crawler()
    last = lake.crawl()
    assert (last["Status"], "kms:Decrypt" in last["ErrorMessage"]) == ("FAILED", True)


def test_a_role_can_be_given_by_its_name(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler(role=lake.role("s3:GetObject", "s3:ListBucket").rsplit("/", 1)[-1])
    assert lake.crawl()["Status"] == "SUCCEEDED"


def test_a_bucket_that_is_not_there_fails_the_crawl(lake: Lake) -> None:
    lake.crawler(
        role=lake.aws.role(
            f"{lake.name}-all", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, trust=GLUE
        ),
        Targets={"S3Targets": [{"Path": "s3://no-such-bucket-here/x/"}]},
    )
    last = lake.crawl()
    assert last["Status"] == "FAILED"
    assert "NoSuchBucket" in last["ErrorMessage"]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("dt = '2026-01-02'", ["2026-01-02"]),
        ("dt >= '2026-01-02' AND dt <> '2026-01-03'", ["2026-01-02"]),
        ("dt IN ('2026-01-01', '2026-01-03')", ["2026-01-01", "2026-01-03"]),
        ("dt BETWEEN '2026-01-01' AND '2026-01-02'", ["2026-01-01", "2026-01-02"]),
        ("dt LIKE '2025%'", []),
    ],
)
def test_partitions_are_chosen_by_an_expression(lake: Lake, expression: str, days: list[str]) -> None:
    for day in range(1, 4):
        lake.put(f"2026-01-0{day}", n=[1])
    lake.crawler()
    lake.crawl()
    assert sorted(lake.partitions(Expression=expression)) == days


def test_an_expression_over_something_else_is_refused(lake: Lake) -> None:
    lake.put("2026-01-01", n=[1])
    lake.crawler()
    lake.crawl()
    with pytest.raises(ClientError, match=r"InvalidInputException.*Unsupported expression"):
        lake.partitions(Expression="month = 1")
