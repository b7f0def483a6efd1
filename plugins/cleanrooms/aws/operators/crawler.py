"""Run a Glue crawler so that success means: a crawl that began after the data was written, and succeeded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.glue_crawler import GlueCrawlerHook
from airflow.providers.amazon.aws.triggers.glue_crawler import GlueCrawlerCompleteTrigger
from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.common.compat.sdk import conf
from botocore.exceptions import ClientError

from cleanrooms.aws.operators.base import CleanRoomsBaseOperator
from cleanrooms.errors import CatalogError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context


GRACE = 1.0  # seconds


class CleanRoomsCrawlOperator(CleanRoomsBaseOperator[GlueCrawlerHook]):
    """Create or update a crawler, run it, and check how the crawl ended.

    Two things that the provider's operator leaves open are closed here. Its waiter looks at the crawler's
    state (READY again) and not at the crawl's status, so a FAILED crawl makes a green task. And a crawl that
    was already running may have listed the bucket before our data was there: it is waited for, then ours is
    run.

    :param config: arguments of CreateCrawler; an existing crawler is updated where it differs (templated)
    :param waiter_delay: seconds between two looks at the crawler
    :param waiter_max_attempts: looks before the task gives up
    :param deferrable: wait in the triggerer, without a worker slot
    """

    aws_hook_class = GlueCrawlerHook
    template_fields: Sequence[str] = aws_template_fields("config")
    ui_color = "#ededed"

    def __init__(
        self,
        *,
        config: dict[str, Any],
        waiter_delay: int = 10,
        waiter_max_attempts: int = 360,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.waiter_delay = waiter_delay
        self.waiter_max_attempts = waiter_max_attempts
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the crawler; returns its name, the crawl's status and what it changed.

        :raises CatalogError: the crawl failed or was cancelled
        :raises TransientError: it has not ended within the waiting attempts
        """
        return self._start(context, None)

    def _start(self, context: Context, event: dict[str, Any] | None) -> dict[str, Any]:
        """Start our crawl; another that still runs is waited for first, however it ends."""
        if event is not None:
            self._ended(event)
        name = self.config["Name"]
        began = time.time()
        try:
            self._create_or_update()
            self.hook.start_crawler(name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "CrawlerRunningException":
                raise
            self.log.info("Crawler %s is running for someone else; ours follows when that has ended", name)
            return self._wait(context, "_start", {})
        return self._wait(context, "_finish", {"began": began})

    def _create_or_update(self) -> None:
        """A crawler that runs refuses to be updated, so this belongs to the start of each crawl."""
        if self.hook.has_crawler(self.config["Name"]):
            self.hook.update_crawler(**self.config)
        else:
            self.hook.create_crawler(**self.config)

    def _wait(self, context: Context, then: str, more: dict[str, Any]) -> dict[str, Any]:
        if self.deferrable and not self._ended_at_once():
            self.defer(trigger=self._trigger(), method_name=then, kwargs=more or None)
        for _ in range(self.waiter_max_attempts):
            if self._ready():
                break
            time.sleep(self.waiter_delay)
        result: dict[str, Any] = getattr(self, then)(context, event={"status": "success"}, **more)
        return result

    def _ended_at_once(self) -> bool:
        """Whether the crawl of a small table is over within a second: then a deferral would only cost time."""
        time.sleep(GRACE)
        return self._ready()

    def _ready(self) -> bool:
        return bool(self.hook.get_crawler(self.config["Name"])["State"] == "READY")

    def _trigger(self) -> GlueCrawlerCompleteTrigger:
        return GlueCrawlerCompleteTrigger(
            crawler_name=self.config["Name"],
            waiter_delay=self.waiter_delay,
            waiter_max_attempts=self.waiter_max_attempts,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )

    def _finish(
        self, context: Context, event: dict[str, Any] | None = None, began: float = 0.0
    ) -> dict[str, Any]:
        name = self.config["Name"]
        last = self._ended(event).get("LastCrawl", {})
        if last.get("Status") != "SUCCEEDED":
            raise CatalogError(
                f"The crawl of Glue crawler {name} ended {last.get('Status', 'without a status')}: "
                f"{last.get('ErrorMessage', 'no message')}.",
                f"Read log group {last.get('LogGroup', '/aws-glue/crawlers')}, stream "
                f"{last.get('LogStream', name)}; then clear this task.",
            )
        self.log.info("Crawler %s succeeded after %.1f s", name, time.time() - began)
        return {"crawler": name, "status": last["Status"]}

    def _ended(self, event: dict[str, Any] | None) -> dict[str, Any]:
        """The crawler, once no crawl runs. What the trigger says of the crawl differs between versions of the
        provider, so the crawler itself is asked.

        :raises TransientError: the waiting attempts are used up and it still runs
        """
        validate_execute_complete_event(event)
        name = self.config["Name"]
        crawler = self.hook.get_crawler(name)
        if crawler["State"] != "READY":
            raise TransientError(
                f"Glue crawler {name} is still {crawler['State']} after "
                f"{self.waiter_delay * self.waiter_max_attempts} s of waiting.",
                "Look at the crawler in the AWS console; a retry of this task waits for it again.",
            )
        return crawler
