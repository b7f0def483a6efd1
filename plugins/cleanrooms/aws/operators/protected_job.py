"""Run a protected job: a PySpark analysis template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.datasets import Tables
from cleanrooms.aws.errors import QueryCancelled
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.lineage import Lineage, dataset_of
from cleanrooms.aws.links.protected_query import JOB_LINKS, persist_links
from cleanrooms.aws.meaning import masked
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.template_parameters import check_with_service
from cleanrooms.aws.triggers.protected_job import CleanRoomsProtectedJobTrigger
from cleanrooms.errors import CleanRoomsError, ProtectedQueryError

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsStartProtectedJobOperator(WaitingOperator[CleanRoomsHook]):
    """Run a protected job in a collaboration, once per logical run.

    :param membership_id: our own membership, which must be able to run jobs (templated)
    :param analysis_template_arn: PySpark template to run (templated)
    :param parameters: values of the template's parameters (templated)
    :param receiver_account_id: the member who receives the results, at their default location (templated)
    :param worker_type: CR.1X or CR.4X
    :param worker_number: number of workers
    :param payer_account_id: the member who pays for the compute (templated)
    :return: ``job_id``, ``status``, ``output_location``, ``receivers``, ``duration_ms``, ``billed_units``
    """

    noun = "protected job"
    store_key = "cleanrooms_job_id"
    running = CleanRoomsProtectedJobTrigger.running
    succeeded = frozenset({"SUCCESS"})

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields(
        "membership_id", "analysis_template_arn", "parameters", "receiver_account_id", "payer_account_id"
    )
    template_fields_renderers = {"parameters": "json"}  # noqa: RUF012
    operator_extra_links = JOB_LINKS

    def __init__(
        self,
        *,
        membership_id: str,
        analysis_template_arn: str,
        parameters: Mapping[str, str] | None = None,
        receiver_account_id: str | None = None,
        worker_type: str | None = None,
        worker_number: int | None = None,
        payer_account_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.analysis_template_arn = analysis_template_arn
        self.parameters = parameters
        self.receiver_account_id = receiver_account_id
        self.worker_type = worker_type
        self.worker_number = worker_number
        self.payer_account_id = payer_account_id

    def _arguments(self) -> dict[str, Any]:
        job: dict[str, Any] = {"analysisTemplateArn": self.analysis_template_arn}
        if self.parameters:
            job["parameters"] = dict(self.parameters)
        arguments: dict[str, Any] = {
            "type": "PYSPARK",
            "membershipIdentifier": self.membership_id,
            "jobParameters": job,
        }
        if self.receiver_account_id:
            receiver = {"accountId": self.receiver_account_id}
            arguments["resultConfiguration"] = {"outputConfiguration": {"member": receiver}}
        worker = {"type": self.worker_type, "number": self.worker_number}
        if set(worker.values()) != {None}:
            given = {name: value for name, value in worker.items() if value is not None}
            arguments["computeConfiguration"] = {"worker": given}
        if self.payer_account_id:
            arguments["jobComputePayerAccountId"] = self.payer_account_id
        return arguments

    def _check(self) -> None:
        check_with_service(
            self.hook, self.membership_id, self.analysis_template_arn, dict(self.parameters or {})
        )

    def _link(self, context: Context, run_id: str) -> None:
        persist_links(context, self, self.hook, self.membership_id, job_id=run_id)

    def lineage(self) -> Lineage:
        """Tables of the template in, result location out."""
        tables = Tables(self.hook, self.membership_id, self._hook_settings())
        location = self.outcome.get("output_location")
        outputs = [dataset_of(location)] if location else []
        return Lineage(tables.of_template(self.analysis_template_arn), outputs, self.run_id)

    def _submit(self) -> str:
        client: Any = self.hook.unrepeating_client
        return str(client.start_protected_job(**self._arguments())["protectedJob"]["id"])

    def _describe(self, run_id: str) -> Found:
        answer = self._client.get_protected_job(
            membershipIdentifier=self.membership_id, protectedJobIdentifier=run_id
        )
        return {**answer["protectedJob"], "state": answer["protectedJob"]["status"]}

    def _lost(self, since: datetime) -> str | None:
        """The newest job since then that runs this template with these parameters."""
        pages = self._client.get_paginator("list_protected_jobs").paginate(
            membershipIdentifier=self.membership_id
        )
        for page in pages:
            for item in page["protectedJobs"]:
                if item["createTime"] < since:
                    return None
                if item["status"] in self.running | self.succeeded and self._is_ours(item["id"]):
                    return str(item["id"])
        return None

    def _is_ours(self, job_id: str) -> bool:
        asked = self._describe(job_id).get("jobParameters", {})
        same_values = (asked.get("parameters") or {}) == dict(self.parameters or {})
        return same_values and asked.get("analysisTemplateArn") == self.analysis_template_arn

    def _cancel(self, run_id: str) -> None:
        self._client.update_protected_job(
            membershipIdentifier=self.membership_id, protectedJobIdentifier=run_id, targetStatus="CANCELLED"
        )

    def _trigger(self, run_id: str) -> CleanRoomsProtectedJobTrigger:
        return CleanRoomsProtectedJobTrigger(
            self.membership_id, run_id, cancel_on_kill=self.cancel_on_kill, **self._wait_arguments()
        )

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        return job_error(run_id, found)

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        output = found.get("result", {}).get("output", {})
        statistics = found.get("statistics", {})
        return {
            "job_id": run_id,
            "membership_id": self.membership_id,
            "output_location": output.get("s3", {}).get("location"),
            "receivers": sorted(member["accountId"] for member in output.get("memberList", [])),
            "duration_ms": statistics.get("totalDurationInMillis"),
            "billed_units": statistics.get("billedResourceUtilization", {}).get("units"),
        }

    @property
    def _client(self) -> Any:
        return self.hook.conn

    @property
    def _subject(self) -> str:
        return f"membership {self.membership_id}"


def job_error(job_id: str, job: Mapping[str, Any]) -> CleanRoomsError:
    """What the end of a job without success means; the service documents no codes, so none is worth a retry."""
    if job["status"] == "CANCELLED":
        return QueryCancelled(
            f"Protected job {job_id} was cancelled from outside this task.", "Clear the task to run it again."
        )
    error = job.get("error", {})
    return ProtectedQueryError(
        f"Protected job {job_id} ended {job['status']} with {error.get('code', 'no code')}: "
        f"{masked(error.get('message', 'no message'))}",
        "See the job in the console, and its error log if the template allows one; then clear the task.",
        code=error.get("code"),
    )
