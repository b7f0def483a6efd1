"""The crawl operator against the local AWS: green means a crawl of ours that succeeded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from cleanrooms.aws.operators import crawler
from cleanrooms.aws.operators.crawler import CleanRoomsCrawlOperator
from cleanrooms.errors import CatalogError, TransientError
from sandbox.testing import ACCOUNT, Sandbox, running
from tests.aws.conftest import Store, context_of
from tests.aws.test_on_sandbox import connect
from tests.sandbox.test_crawler import Lake

READ = ("s3:GetObject", "s3:ListBucket")


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def lake(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    connect(monkeypatch, aws.endpoint, ACCOUNT, "test")
    found = Lake(aws, f"lake-{time.time_ns()}")
    aws.client("s3").create_bucket(Bucket=found.name)
    found.put("2017-03-06", email_key=["a"], n=[1])
    yield found
    aws.faults()


@pytest.fixture(params=[False, True], ids=["worker", "triggerer"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def operator(lake: Lake, *rights: str, **changes: Any) -> CleanRoomsCrawlOperator:
    config = {
        "Name": lake.name,
        "Role": lake.role(*(rights or READ)),
        "DatabaseName": lake.name,
        "Targets": {"S3Targets": [{"Path": f"s3://{lake.name}/in/People/"}]},
    }
    arguments: dict[str, Any] = {
        "task_id": "crawl",
        "config": config,
        "aws_conn_id": "clean_rooms",
        "waiter_delay": 1,
        "waiter_max_attempts": 300,
    }
    return CleanRoomsCrawlOperator(**{**arguments, **changes})


def slow(lake: Lake, seconds: float, times: int = 1) -> None:
    """The crawler's own reads of the bucket take this long."""
    lake.aws.faults({"match": f"^s3 GET /{lake.name}/", "delay": seconds, "internal": True, "times": times})


async def finish(task: CleanRoomsCrawlOperator) -> dict[str, Any]:
    """Run the task to its end as scheduler, worker and triggerer would, through all its deferrals."""
    context = context_of(Store())
    step, arguments = "execute", {}
    while True:
        try:
            if step == "execute":
                return task.execute(context)
            result: dict[str, Any] = task.resume_execution(step, arguments, context)
            return result
        except TaskDeferred as deferral:
            path, kwargs = deferral.trigger.serialize()
            event = await anext(import_string(path)(**kwargs).run())
            step, arguments = deferral.method_name, {**(deferral.kwargs or {}), "event": event.payload}


def crawls(lake: Lake) -> int:
    return len(lake.aws.client("glue").list_crawls(CrawlerName=lake.name)["Crawls"])


async def test_the_table_is_there_when_the_task_is_green(lake: Lake, deferrable: bool) -> None:
    slow(lake, 3)
    assert (await finish(operator(lake, deferrable=deferrable)))["status"] == "SUCCEEDED"
    assert lake.columns() == {"email_key": "string", "n": "bigint"}


async def test_a_crawl_of_a_second_needs_no_deferral(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawler, "GRACE", 5)  # a busy machine needs more than a second
    result = operator(lake, deferrable=True).execute(context_of(Store()))
    assert result == {"crawler": lake.name, "status": "SUCCEEDED"}


async def test_an_existing_crawler_is_brought_to_what_the_config_says(lake: Lake) -> None:
    task = operator(lake, deferrable=False)
    await finish(task)
    task.config = {**task.config, "Description": "changed"}
    await finish(task)
    assert lake.aws.client("glue").get_crawler(Name=lake.name)["Crawler"]["Description"] == "changed"
    assert crawls(lake) == 2


async def test_a_failed_crawl_is_no_green_task(lake: Lake, deferrable: bool) -> None:
    with pytest.raises(CatalogError, match=rf"Glue crawler {lake.name} ended FAILED: ") as info:
        await finish(operator(lake, "s3:ListBucket", deferrable=deferrable))
    assert "/aws-glue/crawlers" in info.value.todo


async def test_a_cancelled_crawl_is_no_green_task(lake: Lake) -> None:
    for day in ("2017-03-07", "2017-03-08"):
        lake.put(day, email_key=["b"], n=[2])
    slow(lake, 4, times=4)
    task = operator(lake, deferrable=True)
    with pytest.raises(TaskDeferred) as deferral:
        task.execute(context_of(Store()))
    lake.aws.client("glue").stop_crawler(Name=lake.name)
    lake.aws.crawled(lake.name)
    arguments = {**deferral.value.kwargs, "event": {"status": "success"}}
    with pytest.raises(CatalogError, match="ended CANCELLED"):
        task.resume_execution(deferral.value.method_name, arguments, context_of(Store()))


async def test_a_running_crawl_is_waited_for_and_ours_follows(lake: Lake, deferrable: bool) -> None:
    task = operator(lake, deferrable=deferrable)
    lake.aws.client("glue").create_crawler(**task.config)
    slow(lake, 3)
    lake.aws.client("glue").start_crawler(Name=lake.name)
    time.sleep(0.3)  # the running crawl has listed the bucket
    lake.put("2017-03-07", email_key=["b"], n=[2])
    assert (await finish(task))["status"] == "SUCCEEDED"
    assert crawls(lake) == 2
    assert sorted(lake.partitions()) == ["2017-03-06", "2017-03-07"]


async def test_a_changed_config_waits_for_the_running_crawl(lake: Lake, deferrable: bool) -> None:
    task = operator(lake, deferrable=deferrable)
    lake.aws.client("glue").create_crawler(**task.config)
    task.config = {**task.config, "Description": "changed"}
    slow(lake, 3)
    lake.aws.client("glue").start_crawler(Name=lake.name)
    await finish(task)
    assert lake.aws.client("glue").get_crawler(Name=lake.name)["Crawler"]["Description"] == "changed"


async def test_a_crawl_that_does_not_end_in_time_is_worth_a_retry(lake: Lake, deferrable: bool) -> None:
    slow(lake, 6)
    task = operator(lake, deferrable=deferrable, waiter_max_attempts=2)
    with pytest.raises(TransientError, match=r"is still RUNNING after 2 s of waiting"):
        await finish(task)
    lake.aws.crawled(lake.name)
