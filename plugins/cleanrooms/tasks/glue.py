"""The operator that prepares a day of a source by a Glue job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from cleanrooms.aws.operators.glue_job import CleanRoomsGlueJobOperator
from cleanrooms.aws.operators.waiting import Found
from cleanrooms.config import Source
from cleanrooms.errors import CleanRoomsError, PermanentError
from cleanrooms.tasks.common import client, counts, read_source
from cleanrooms.tasks.configured import ConfiguredOperator
from cleanrooms.windows import day_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class SourceGlueOperator(ConfiguredOperator, CleanRoomsGlueJobOperator):
    """Prepare the run's day of a source on Spark; what the job is follows from the source's file.

    The job gets the place of a description in S3 as its argument, and leaves its outcome beside it.

    :param source: name of the file in ``include/sources/`` (templated)
    :return: the report, as ``tasks.ingestion.prepare`` gives it
    """

    template_fields: Sequence[str] = ("source", "aws_conn_id", "region_name", "verify")

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(job_name="", **kwargs)
        self.source = source

    def _read_config(self, context: Context) -> None:
        self._source: Source = read_source(self.source)
        self._day: date = day_of(context, self._source.schedule.timezone)
        engine = self._source.glue
        if engine is None:
            raise PermanentError(
                f"Source {self.source} is no longer prepared by Glue.",
                "Clear the run: its tasks are made anew.",
            )
        run = hashlib.sha256(str(context["run_id"]).encode()).hexdigest()[:16]
        self._bucket = engine.bucket
        self._folder = f"{engine.prefix.strip('/')}/runs/{self.source}/dt={self._day.isoformat()}/{run}"
        self.job_name = engine.job or f"cleanrooms-prepare-{self.source}"
        self.arguments = {
            "--spec": f"s3://{self._bucket}/{self._folder}/spec.json",
            "--region": str(self.hook.conn_region_name),
        }

    def _submit(self) -> str:
        from cleanrooms.recipes import Recipe
        from cleanrooms.spark import script

        source, s3 = self._source, self._s3
        assert source.glue is not None
        code = script.upload(s3, source.glue)
        self.definition = script.definition(
            source.glue, code, f"Prepares {source.name}: {source.description}"
        )
        spec = {
            "source": source.model_dump(mode="json"),
            "steps": Recipe.load(source.recipe_path).dump(),
            "day": self._day.isoformat(),
        }
        s3.put_object(Bucket=self._bucket, Key=f"{self._folder}/spec.json", Body=json.dumps(spec).encode())
        return super()._submit()

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        from cleanrooms.spark.errors import from_json

        self._sweep(run_id)
        outcome = self._outcome(run_id)
        if outcome is not None and "error" in outcome:
            return from_json(outcome["error"].encode())
        return super()._error(run_id, found)

    def _conclude(self, store: Any, run_id: str, found: Found) -> dict[str, Any]:
        super()._conclude(store, run_id, found)
        outcome = self._outcome(run_id)
        if outcome is None or "report" not in outcome:
            raise PermanentError(
                f"Run {run_id} of {self._subject} succeeded without leaving its report in "
                f"s3://{self._bucket}/{self._folder}/.",
                "See whether something else empties that folder; then clear the task.",
            )
        report: dict[str, Any] = outcome["report"]
        self.log.info("%s of %s: %s", self.source, self._day, counts(report))
        return report

    def _outcome(self, run_id: str) -> dict[str, Any] | None:
        """What the run left, and no earlier one of the same folder."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=f"{self._folder}/outcome.json")
        except self._s3.exceptions.NoSuchKey:
            return None
        outcome: dict[str, Any] = json.loads(answer["Body"].read())
        return outcome if outcome["run"] == run_id else None

    def _sweep(self, run_id: str) -> None:
        """Remove what a run that was ended in the middle left for its driver."""
        from cleanrooms.spark.script import staged

        for bucket, prefix in staged(self._source, self._day, self._bucket, f"{self._folder}/{run_id}"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    self._s3.delete_object(Bucket=bucket, Key=item["Key"])

    @property
    def _s3(self) -> Any:
        return client("s3", self.aws_conn_id)
