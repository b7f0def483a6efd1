"""Start a protected query, wait for it, and never pay for it twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.datasets import Tables
from cleanrooms.aws.errors import QueryCancelled, QueryTimedOut
from cleanrooms.aws.flight import Flight, find
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.lineage import Lineage, LineageMixin, dataset_of, table_names
from cleanrooms.aws.links.protected_query import QUERY_LINKS, persist_links
from cleanrooms.aws.meaning import from_query
from cleanrooms.aws.operators.base import DeferrableOperator
from cleanrooms.aws.protected_query import adopt, cancel, describe, start, wait
from cleanrooms.aws.query_request import QueryRequest, bill, summary
from cleanrooms.aws.template_parameters import check_with_service
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger
from cleanrooms.aws.watch import Watch
from cleanrooms.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context

    Query = dict[str, Any]


class CleanRoomsStartProtectedQueryOperator(LineageMixin, DeferrableOperator[CleanRoomsHook]):
    """Run a protected query in a collaboration.

    A logical run pays for one query: after a retry, a crash or a lost answer the task finds the query that
    it started and goes on with that. Clearing the finished task, or ``force_new_query``, asks for another.

    :param membership_id: our own membership, which must be able to query (templated)
    :param sql: SQL in the Spark dialect, or a ``.sql`` file (templated)
    :param analysis_template_arn: template to run instead of ``sql`` (templated)
    :param parameters: values for the template's parameters; dates, numbers and Booleans become the strings
        that the API takes, and are compared with the types that the template declares (templated)
    :param result_bucket: S3 bucket for results that we receive ourselves (templated)
    :param result_prefix: key prefix there. It is what recognises the query again, so it must be unique to
        the collaboration, the query and the interval (templated)
    :param result_format: PARQUET or CSV
    :param single_file: ask for one result object
    :param receiver_account_ids: members who receive the results, at their own default locations (templated)
    :param worker_type: CR.1X, CR.4X or CR.8X
    :param worker_number: 2 to 400
    :param spark_properties: Spark settings of the workers
    :param payer_account_id: the member who pays for the compute (templated)
    :param force_new_query: start another query though one of this run exists; templated, so that a DAG can
        pass ``{{ params.force_new_query }}``
    :param more: how to wait, see :class:`~cleanrooms.aws.operators.base.DeferrableOperator`
    :return: ``query_id``, ``status``, ``membership_id``, ``output_location``, ``receivers``,
        ``duration_ms``, ``billed_units`` (CRPU-hours)
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields(
        "membership_id",
        "sql",
        "analysis_template_arn",
        "parameters",
        "result_bucket",
        "result_prefix",
        "receiver_account_ids",
        "payer_account_id",
        "force_new_query",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql", "parameters": "json"}  # noqa: RUF012
    operator_extra_links = QUERY_LINKS

    def __init__(
        self,
        *,
        membership_id: str,
        sql: str | None = None,
        analysis_template_arn: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        result_bucket: str | None = None,
        result_prefix: str | None = None,
        result_format: str = "PARQUET",
        single_file: bool | None = None,
        receiver_account_ids: Sequence[str] | None = None,
        worker_type: str | None = None,
        worker_number: int | None = None,
        spark_properties: Mapping[str, str] | None = None,
        payer_account_id: str | None = None,
        force_new_query: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.sql = sql
        self.analysis_template_arn = analysis_template_arn
        self.parameters = parameters
        self.result_bucket = result_bucket
        self.result_prefix = result_prefix
        self.result_format = result_format
        self.single_file = single_file
        self.receiver_account_ids = receiver_account_ids
        self.worker_type = worker_type
        self.worker_number = worker_number
        self.spark_properties = spark_properties
        self.payer_account_id = payer_account_id
        self.force_new_query = force_new_query
        self.query_id: str | None = None
        self.output_location: str | None = None
        self._flight: Flight | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Find or start the query, then wait for it or defer."""
        request = self._request()
        request.check()
        flight = self._flight = Flight(context)
        query = None if self._wants_another(flight) else adopt(self.hook, request, flight)
        adopted = query is not None
        if query is None:
            query = self._start(request, flight)
        return self._follow(context, query, adopted)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on after the triggerer has seen the query end, or has given up."""
        event = validate_execute_complete_event(event)
        flight = self._flight = Flight(context)
        self.query_id = event["query_id"]
        if event["status"] == "exhausted":
            self._give_up(flight, "its waiting attempts were used up")
        if event["status"] == "error":
            kind = PermanentError if event["permanent"] else TransientError
            raise kind(event["message"], event["todo"], query_id=self.query_id)
        query = describe(self.hook, self.membership_id, event["query_id"])
        return self._conclude(context, query, event.get("adopted", False))

    def on_kill(self) -> None:
        """Cancel the query; does not wait for it to end."""
        if not self.cancel_on_kill:
            return
        query_id = self.query_id or self._unrecorded()
        if query_id:
            cancel(self.hook, self.membership_id, query_id)

    def lineage(self) -> Lineage:
        """Tables in, result location out."""
        request = self._request()
        tables = Tables(self.hook, self.membership_id, self._hook_settings())
        inputs = (
            tables.datasets(table_names(request.sql))
            if request.sql
            else tables.of_template(str(request.analysis_template_arn))
        )
        outputs = [dataset_of(self.output_location)] if self.output_location else []
        return Lineage(inputs, outputs, self.query_id, sql=request.sql)

    def _request(self) -> QueryRequest:
        """The operator's arguments bear the names of the request's fields."""
        given = {field.name: getattr(self, field.name) for field in fields(QueryRequest)}
        return QueryRequest(**{name: value for name, value in given.items() if value is not None})

    def _start(self, request: QueryRequest, flight: Flight) -> Query:
        if request.analysis_template_arn:
            check_with_service(self.hook, self.membership_id, request.analysis_template_arn, request.texts)
        flight.announce(request, forced=self._wants_another(flight))
        query = start(self.hook, request, flight)
        self.log.info("Submitted protected query %s, results to %s", query["id"], request.destination)
        return query

    def _wants_another(self, flight: Flight) -> bool:
        wanted = self.force_new_query
        if isinstance(wanted, str):
            wanted = wanted.strip().lower() in ("true", "1", "yes")
        return bool(wanted) and not flight.forced

    def _follow(self, context: Context, query: Query, adopted: bool) -> dict[str, Any]:
        flight = self._flight or Flight(context)
        self.query_id = query["id"]
        flight.took_off(query["id"])
        persist_links(context, self, self.hook, self.membership_id, query_id=query["id"])
        if not self.wait_for_completion:
            flight.landed(query["id"], succeeded=True)
            return summary(query)
        if query["status"] not in CleanRoomsHook.TERMINAL_STATES:
            if self.deferrable:
                self._defer(
                    CleanRoomsProtectedQueryTrigger(
                        self.membership_id,
                        query["id"],
                        adopted,
                        cancel_on_kill=self.cancel_on_kill,
                        **self._wait_arguments(),
                    )
                )
            watch = Watch(self.waiter_delay, self.waiter_max_attempts)
            ended = wait(self.hook, self.membership_id, query["id"], watch)
            if ended is None:
                self._give_up(flight, "its waiting attempts were used up")
            query = ended
        return self._conclude(context, query, adopted)

    def _conclude(self, context: Context, query: Query, adopted: bool) -> dict[str, Any]:
        """Return the summary of a success; start once more what was cancelled under us; else raise."""
        flight = self._flight or Flight(context)
        if query["status"] not in CleanRoomsHook.TERMINAL_STATES:
            return self._follow(context, query, adopted)
        if query["status"] in CleanRoomsHook.SUCCESS_STATES:
            result = summary(query)
            self.output_location = result["output_location"]
            self.log.info(
                "Query %s is SUCCESS: %s ms, %s, results in %s",
                query["id"],
                result["duration_ms"],
                bill(result["billed_units"]),
                result["output_location"] or f"the locations of {result['receivers']}",
            )
            flight.landed(query["id"], succeeded=True)
            return result
        flight.landed(query["id"])
        error = from_query(query)
        if adopted and isinstance(error, QueryCancelled):
            self.log.info(
                "Query %s was cancelled with the try that started it: starting another", query["id"]
            )
            return self._follow(context, self._start(self._request(), flight), adopted=False)
        raise error

    def _abandon(self, context: Context, why: str) -> NoReturn:
        flight = self._flight = Flight(context)
        self.query_id = flight.query_id or self._unrecorded()
        self._give_up(flight, why)

    def _give_up(self, flight: Flight, why: str) -> NoReturn:
        query_id = self.query_id
        if query_id and self.cancel_on_kill:
            cancel(self.hook, self.membership_id, query_id)
            flight.landed(query_id)
        raise QueryTimedOut(
            f"Protected query {query_id} was not finished when {why}.",
            "Give it more time (waiter_max_attempts, execution_timeout) or more workers, then clear the task."
            + ("" if self.cancel_on_kill else " The query runs on; the cleared task will find it."),
            query_id=query_id,
        )

    def _unrecorded(self) -> str | None:
        """Id of a query that was accepted but not yet recorded when we were stopped."""
        flight = self._flight
        if flight is None:
            return None
        try:
            if flight.query_id or flight.lost_since is None:
                return flight.query_id
            query = find(self.hook, self._request(), flight)
            return query["id"] if query else None
        except Exception as error:
            self.log.warning("Could not look for a query to cancel: %s", type(error).__name__)
            return None
