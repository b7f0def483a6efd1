"""Wait in the triggerer for a complete export in S3."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError

from cleanrooms.aws.hooks.export import MANIFEST_LIMIT, Export, Judgement, Quiet, by_manifest, by_quiet
from cleanrooms.aws.meaning import from_aws
from cleanrooms.errors import CleanRoomsError

LONGEST_PAUSE = 300.0


class ExportReadyTrigger(BaseTrigger):
    """List a prefix until the export in it is complete or its deadline has passed.

    The event has ``status``: ``ready`` (with ``files`` and ``bytes``), ``late`` (with ``seen``) or ``error``
    (with ``message``, ``todo`` and ``permanent``).

    :param bucket: S3 bucket
    :param prefix: key prefix of the delivery
    :param manifest: name of the manifest under the prefix, or None
    :param pattern: without a manifest, the names that count
    :param quiet_seconds: without a manifest, how long the listing must not change
    :param archive_prefix: where files that were taken before lie; they count as there
    :param deadline: epoch seconds; survives a restart of the triggerer
    :param poke_interval: seconds between two looks
    :param aws_conn_id: Airflow connection
    :param region_name: AWS region
    :param verify: whether or how to verify TLS certificates
    :param botocore_config: settings of the botocore client
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        deadline: float,
        manifest: str | None = None,
        pattern: str = "*",
        quiet_seconds: float = 300.0,
        archive_prefix: str | None = None,
        poke_interval: float = 60.0,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.export = Export(bucket, prefix, manifest, pattern, quiet_seconds, archive_prefix)
        self.deadline = deadline
        self.poke_interval = poke_interval
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and every argument."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "bucket": self.export.bucket,
                "prefix": self.export.prefix,
                "manifest": self.export.manifest,
                "pattern": self.export.pattern,
                "quiet_seconds": self.export.quiet_seconds,
                "archive_prefix": self.export.archive_prefix,
                "deadline": self.deadline,
                "poke_interval": self.poke_interval,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "botocore_config": self.botocore_config,
            },
        )

    def hook(self) -> S3Hook:
        """The hook, as the sensor would build it."""
        return S3Hook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event."""
        quiet, seen, troubles = Quiet(), "nothing yet", 0
        while True:
            try:
                async with await self.hook().get_async_conn() as client:
                    judgement = await self._look(client, quiet)
            except Exception as error:
                trouble = from_aws(error, "ListObjectsV2", f"s3://{self.export.bucket}/{self.export.folder}")
                if trouble.permanent:
                    yield self._error(trouble)
                    return
                self.log.warning("%s", trouble.what)
                troubles += 1
            else:
                troubles = 0
                if judgement.ready:
                    yield TriggerEvent({"status": "ready", **judgement.result})
                    return
                if judgement.seen != seen:
                    self.log.info(
                        "Export in s3://%s/%s: %s", self.export.bucket, self.export.folder, judgement.seen
                    )
                seen = judgement.seen
            if time.time() >= self.deadline:
                yield TriggerEvent({"status": "late", "seen": seen})
                return
            await asyncio.sleep(self._pause(troubles))

    async def _look(self, client: Any, quiet: Quiet) -> Judgement:
        objects: list[dict[str, Any]] = []
        for folder in self.export.folders:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.export.bucket, Prefix=folder)
            async for page in pages:
                objects += page.get("Contents", [])
        listing = self.export.listing(objects)
        if self.export.manifest is None:
            return by_quiet(self.export, listing, quiet, time.time())
        content = await self._manifest(client, self.export.manifest_key(objects))
        return by_manifest(self.export, listing, content)

    async def _manifest(self, client: Any, key: str | None) -> bytes | None:
        if key is None:
            return None
        try:
            answer = await client.get_object(Bucket=self.export.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        async with answer["Body"] as body:
            content: bytes = await body.read(MANIFEST_LIMIT)
        return content

    def _pause(self, troubles: int) -> float:
        """Not past the deadline; longer while S3 is in trouble."""
        pause = min(self.poke_interval * 2**troubles, max(LONGEST_PAUSE, self.poke_interval))
        return max(0.0, min(pause, self.deadline - time.time()))

    def _error(self, trouble: CleanRoomsError) -> TriggerEvent:
        return TriggerEvent(
            {"status": "error", "message": trouble.what, "todo": trouble.todo, "permanent": trouble.permanent}
        )
