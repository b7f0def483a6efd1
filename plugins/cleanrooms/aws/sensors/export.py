"""Wait for the export that another system delivers into a bucket."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.common.compat.sdk import conf
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from cleanrooms.aws.hooks.export import (
    MANIFEST_LIMIT,
    Export,
    Judgement,
    Quiet,
    by_manifest,
    by_quiet,
    missing,
)
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.triggers.export import ExportReadyTrigger
from cleanrooms.errors import SourceError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context

GRACE = timedelta(minutes=10)
MEMORY = "cleanrooms_export"


class ExportReadySensor(AwsBaseSensor[S3Hook]):
    """Wait until an export under an S3 prefix is complete.

    With a manifest (``{"files": [{"name": …, "size": …}, …]}``, size optional) it is complete when the
    manifest and every file in it are there, at their sizes. Without, when at least one file matches
    ``pattern`` and the listing has not changed for ``quiet_seconds``.

    :param bucket: S3 bucket (templated)
    :param prefix: key prefix of one delivery (templated)
    :param manifest: name of the manifest under the prefix, or None
    :param pattern: without a manifest, the names under the prefix that count (``fnmatch``)
    :param quiet_seconds: without a manifest, how long the listing must not change
    :param archive_prefix: where files that were taken before lie, so that a run can be repeated
    :param deadline_seconds: give up so long after the task began to wait
    :param deferrable: wait in the triggerer, without a worker slot; ``poke_interval`` applies
    :return: ``files`` and ``bytes`` of the export
    :raises ExportMissing: nothing complete arrived by the deadline
    :raises SourceError: the manifest cannot be understood
    """

    aws_hook_class = S3Hook
    template_fields: Sequence[str] = aws_template_fields("bucket", "prefix")
    ui_color = "#dff2e1"

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str,
        manifest: str | None = None,
        pattern: str = "*",
        quiet_seconds: float = 300.0,
        archive_prefix: str | None = None,
        deadline_seconds: float = 6 * 3600.0,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("timeout", deadline_seconds + GRACE.total_seconds())
        super().__init__(**kwargs)
        self.bucket = bucket
        self.prefix = prefix
        self.manifest = manifest
        self.pattern = pattern
        self.quiet_seconds = quiet_seconds
        self.archive_prefix = archive_prefix
        self.deadline_seconds = deadline_seconds
        self.deferrable = deferrable
        self._memory: dict[str, Any] = {}

    def execute(self, context: Context) -> Any:
        """Poke, or defer; an export that is there already needs no deferral."""
        if not self.deferrable:
            return super().execute(context)
        if self.manifest is not None and (seen := self.poke(context)).is_done:
            return seen.xcom_value
        return self.defer(
            trigger=ExportReadyTrigger(
                bucket=self.bucket,
                prefix=self.prefix,
                manifest=self.manifest,
                pattern=self.pattern,
                quiet_seconds=self.quiet_seconds,
                archive_prefix=self.archive_prefix,
                deadline=time.time() + self.deadline_seconds,
                poke_interval=self.poke_interval,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.deadline_seconds) + GRACE,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, int]:
        """Return the counts, or raise what went wrong."""
        event = validate_execute_complete_event(event)
        if event["status"] == "late":
            self._late(event["seen"])
        if event["status"] == "error":
            raise (SourceError if event["permanent"] else TransientError)(event["message"], event["todo"])
        self.log.info("The export is complete: %s files, %s bytes", event["files"], event["bytes"])
        return {"files": event["files"], "bytes": event["bytes"]}

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """As the base does; a triggerer that was away past the deadline is a missing export, too."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout:
            self._late("the triggerer did not answer")

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        remembered = self._recall(context)
        try:
            judgement = self._look(remembered)
        except Exception as error:
            trouble = from_aws(error, "ListObjectsV2", f"s3://{self.bucket}/{self.prefix}")
            if trouble.permanent:
                raise trouble from error
            judgement = Judgement(False, trouble.what)
        self._remember(context, remembered)
        if not judgement.ready and time.time() - remembered["began"] >= self.deadline_seconds:
            self._late(judgement.seen)
        self.log.info("Export in s3://%s/%s: %s", self.bucket, self._export.folder, judgement.seen)
        return PokeReturnValue(
            is_done=judgement.ready, xcom_value=judgement.result if judgement.ready else None
        )

    def _look(self, remembered: dict[str, Any]) -> Judgement:
        client: Any = self.hook.conn
        objects: list[dict[str, Any]] = []
        for folder in self._export.folders:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder)
            objects += [item for page in pages for item in page.get("Contents", [])]
        listing = self._export.listing(objects)
        if self.manifest is not None:
            key, content = self._export.manifest_key(objects), None
            if key is not None:
                content = client.get_object(Bucket=self.bucket, Key=key)["Body"].read(MANIFEST_LIMIT)
            return by_manifest(self._export, listing, content)
        quiet = Quiet(remembered["digest"], remembered["since"])
        judgement = by_quiet(self._export, listing, quiet, time.time())
        remembered |= {"digest": quiet.digest, "since": quiet.since}
        return judgement

    def _recall(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What earlier looks of this try saw: in reschedule mode each runs in a process of its own."""
        try_number = getattr(context.get("ti"), "try_number", 1)
        fresh = {"try": try_number, "began": time.time(), "digest": "", "since": 0.0}
        store = context.get("task_state_store")
        remembered = (store.get(MEMORY) if store is not None else self._memory) or fresh
        return dict(remembered) if remembered["try"] == try_number else fresh

    def _remember(self, context: Mapping[str, Any], remembered: dict[str, Any]) -> None:
        store = context.get("task_state_store")
        if store is None:
            self._memory = remembered
        else:
            store.set(MEMORY, remembered)

    def _late(self, seen: str) -> NoReturn:
        error = missing(self._export, seen, self.deadline_seconds)
        if self.soft_fail:
            raise AirflowSkipException(error.what) from error
        raise error

    @property
    def _export(self) -> Export:
        return Export(
            self.bucket, self.prefix, self.manifest, self.pattern, self.quiet_seconds, self.archive_prefix
        )
