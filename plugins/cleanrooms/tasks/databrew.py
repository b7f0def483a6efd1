"""Tasks of a source with ``engine: databrew``: stage the day's rows, run the recipe, publish, clean up."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import task
from botocore.exceptions import BotoCoreError, ClientError

from cleanrooms import settings
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.operators.databrew import CleanRoomsDataBrewStartJobOperator
from cleanrooms.databrew import names
from cleanrooms.process import for_batches
from cleanrooms.tasks.common import client, counts, explained, read_source
from cleanrooms.tasks.configured import ConfiguredOperator
from cleanrooms.tasks.ingestion import source_and_day
from cleanrooms.windows import day_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from cleanrooms.aws.flight import Store
    from cleanrooms.config import Source

log = logging.getLogger(__name__)


@task
@explained
def stage(name: str) -> dict[str, Any]:
    """Check the day's rows as ever and stage the good ones for DataBrew, encrypted.

    :returns: counts and places; never values
    """
    from airflow.sdk.log import mask_secret

    for_batches()
    from cleanrooms.databrew.expected import expected
    from cleanrooms.databrew.secrets import ServiceSecrets
    from cleanrooms.databrew.stage import stage as stage_day
    from cleanrooms.sources.secrets import SecretsManager

    source, day = source_and_day(name)
    vault = client("secretsmanager", source.aws_conn_id)
    # A recipe that does not fit the contract is told before a row is staged or a node is paid for.
    expected(source, ServiceSecrets(vault, mask=mask_secret))
    report = stage_day(
        source,
        day,
        s3=client("s3", source.aws_conn_id),
        secrets=SecretsManager(vault, mask=mask_secret),
    ).to_dict()
    log.info("%s of %s: %s", name, day, counts(report))
    return report


class SourceDataBrewOperator(ConfiguredOperator, CleanRoomsDataBrewStartJobOperator):
    """Run a source's recipe on the rows staged for the run's day, once.

    Recipe, dataset and job are made what the source's file says; the job runs the very version of the recipe
    that was published from the file. Where no rows were staged, nothing is run.

    :param source: name of the file in ``include/sources/`` (templated)
    :param staged: what :func:`stage` returned (templated)
    """

    template_fields: Sequence[str] = aws_template_fields("source", "staged")

    def __init__(self, *, source: str, staged: Any, **kwargs: Any) -> None:
        super().__init__(job_name="", **kwargs)
        self.source = source
        self.staged = staged

    def execute(self, context: Context) -> dict[str, Any]:
        if not self.staged["good"]:
            self._read_config(context)
            self.log.info("No rows were staged for %s: there is nothing to run.", self.job_name)
            return {"run_id": None, "job_name": self.job_name, "status": "NOT_RUN"}
        return super().execute(context)

    def _read_config(self, context: Context) -> None:
        self._config: Source = read_source(self.source)
        self._day = day_of(context, self._config.schedule.timezone)
        self.job_name = names.run_name(self._config, self._day)

    def _in_flight(self, store: Store) -> str | None:
        """As the base; the job is the day's alone, so a run of it on our rows is ours, whoever started it.

        One on rows that were staged before is none: it is stopped, as its output would be an old day.
        """
        run_id = super()._in_flight(store)
        if run_id is not None and not self._is_ours(run_id):
            self._forget(store)
            store.delete(self._adopted_key)
            run_id = None
        return run_id or self._going(store)

    def _going(self, store: Store) -> str | None:
        try:
            run_id = self._newest(frozenset({"STARTING", "RUNNING", "STOPPING"}))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise from_aws(error, "ListJobRuns", self._subject) from error
            return None
        if run_id is None:
            return None
        if self._look(run_id)["state"] == "STOPPING" or not self._is_ours(run_id):
            self.log.info("Ending %s %s, which works on rows that were staged before", self.noun, run_id)
            self._end(run_id)
            self._let_stop(run_id)
            return None
        self.log.info("Going on with %s %s, which is in progress", self.noun, run_id)
        store.set(self.store_key, run_id)
        store.set(self._adopted_key, run_id)
        return run_id

    def _is_ours(self, run_id: str) -> bool:
        place = names.output_prefix(self._config, self._day, self.staged["token"])
        outputs = self._look(run_id).get("Outputs", [])
        return [output["Location"].get("Key") for output in outputs] == [place]

    def _lost(self, since: Any) -> str | None:
        try:
            return super()._lost(since)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None

    def _submit(self) -> str:
        try:
            self._define()
        except (BotoCoreError, ClientError) as error:
            raise from_aws(error, getattr(error, "operation_name", "A call"), self._subject) from error
        return super()._submit()

    def _define(self) -> None:
        from airflow.sdk.log import mask_secret

        from cleanrooms.databrew import service
        from cleanrooms.databrew.secrets import ServiceSecrets
        from cleanrooms.recipes import Recipe

        source, day = self._config, self._day
        secrets = ServiceSecrets(client("secretsmanager", source.aws_conn_id), mask=mask_secret)
        steps = service.steps_for_service(Recipe.load(source.recipe_path), secrets.arn)
        version = service.ensure_recipe(self._client, source, steps)
        token = self.staged["token"]
        service.ensure_dataset(self._client, source, day, token)
        service.ensure_job(self._client, source, day, token, version)
        self.log.info("%s runs recipe %s version %s", self._subject, names.recipe_name(source), version)


def run(source: Source, staged: Any) -> SourceDataBrewOperator:
    """The task that runs the recipe in the service and waits for it without a worker slot."""
    assert source.databrew is not None
    minutes = source.databrew.timeout_minutes
    delay = settings.poll_seconds()
    return SourceDataBrewOperator(
        task_id="run_recipe",
        source=source.name,
        staged=staged,
        waiter_delay=delay,
        # DataBrew's own timeout comes first; this ends a wait that it forgot.
        waiter_max_attempts=(minutes + 10) * 60 // delay,
        execution_timeout=timedelta(minutes=minutes + 15),
        aws_conn_id=source.aws_conn_id or settings.aws_conn_id(),
    )


@task(task_id="prepare")
@explained
def publish(name: str, staged: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """Check what DataBrew wrote and publish it as the day's one Parquet object.

    :param run: what the task that ran the recipe returned: it came before
    :returns: counts and the place of the partition; never values
    """
    from airflow.sdk.log import mask_secret

    for_batches()
    from cleanrooms.databrew.publish import publish as publish_day
    from cleanrooms.databrew.secrets import ServiceSecrets
    from cleanrooms.databrew.stage import Staged

    source, day = source_and_day(name)
    report = publish_day(
        source,
        day,
        Staged.from_dict(staged),
        s3=client("s3", source.aws_conn_id),
        secrets=ServiceSecrets(client("secretsmanager", source.aws_conn_id), mask=mask_secret),
    ).to_dict()
    log.info("%s of %s: %s", name, day, counts(report))
    return report


@task
@explained
def clean_up(name: str) -> int:
    """Delete the day's job, dataset and staged rows, whatever became of them.

    :returns: number of objects that were deleted
    """
    from cleanrooms.databrew.service import remove_day
    from cleanrooms.databrew.stage import clear

    source, day = source_and_day(name)
    try:
        remove_day(client("databrew", source.aws_conn_id), source, day)
    finally:
        # Rows of people go even where the service is in the way.
        deleted = clear(source, day, s3=client("s3", source.aws_conn_id))
    return deleted
