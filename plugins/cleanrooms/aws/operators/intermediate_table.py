"""Fill an intermediate table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.datasets import Tables
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.lineage import Lineage
from cleanrooms.aws.links.protected_query import QUERY_LINKS, persist_links
from cleanrooms.aws.meaning import from_query
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.intermediate_table import CleanRoomsPopulationTrigger
from cleanrooms.errors import CleanRoomsError

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsPopulateIntermediateTableOperator(WaitingOperator[CleanRoomsHook]):
    """Run the stored analysis of an intermediate table, which is a protected query and costs as one.

    :param membership_id: our own membership (templated)
    :param table_id: the intermediate table (templated)
    :param parameters: values of the analysis's parameters (templated)
    :param payer_account_id: the member who pays for the compute (templated)
    :return: ``query_id``, ``table_id``, ``status``, ``duration_ms``, ``billed_units``
    """

    noun = "population"
    store_key = "cleanrooms_population_id"
    running = CleanRoomsPopulationTrigger.running
    succeeded = frozenset(CleanRoomsHook.SUCCESS_STATES)

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields(
        "membership_id", "table_id", "parameters", "payer_account_id"
    )
    template_fields_renderers = {"parameters": "json"}  # noqa: RUF012
    operator_extra_links = QUERY_LINKS

    def __init__(
        self,
        *,
        membership_id: str,
        table_id: str,
        parameters: Mapping[str, str] | None = None,
        payer_account_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.table_id = table_id
        self.parameters = parameters
        self.payer_account_id = payer_account_id

    def _link(self, context: Context, run_id: str) -> None:
        persist_links(context, self, self.hook, self.membership_id, query_id=run_id)

    def lineage(self) -> Lineage:
        """The tables that it depends on in, the intermediate table out."""
        table = self._table()
        tables = Tables(self.hook, self.membership_id, self._hook_settings())
        inputs = tables.datasets(sorted({one["name"] for one in table["tableDependencies"]}))
        return Lineage(inputs, [tables.shared(table["name"])], self.run_id)

    def _submit(self) -> str:
        optional = {
            "parameters": dict(self.parameters) if self.parameters else None,
            "analysisPayerAccountId": self.payer_account_id,
        }
        client: Any = self.hook.unrepeating_client
        answer = client.populate_intermediate_table(
            membershipIdentifier=self.membership_id,
            intermediateTableIdentifier=self.table_id,
            **{name: value for name, value in optional.items() if value is not None},
        )
        return str(answer["analysisId"])

    def _describe(self, run_id: str) -> Found:
        query = self.hook.get_query(self.membership_id, run_id)
        return {**query, "state": query["status"]}

    def _lost(self, since: datetime) -> str | None:
        """The query of the table's newest version, if it is that young; running ones are versions, too."""
        client: Any = self.hook.conn
        pages = client.get_paginator("list_intermediate_table_versions").paginate(
            membershipIdentifier=self.membership_id, intermediateTableIdentifier=self.table_id
        )
        versions = [version for page in pages for version in page["intermediateTableVersionSummaries"]]
        newest = max(versions, key=lambda version: version["createTime"], default=None)
        return str(newest["analysisId"]) if newest and newest["createTime"] >= since else None

    def _table(self) -> dict[str, Any]:
        client: Any = self.hook.conn
        answer = client.get_intermediate_table(
            membershipIdentifier=self.membership_id, intermediateTableIdentifier=self.table_id
        )
        return dict(answer["intermediateTable"])

    def _cancel(self, run_id: str) -> None:
        self.hook.cancel_query(self.membership_id, run_id)

    def _trigger(self, run_id: str) -> CleanRoomsPopulationTrigger:
        return CleanRoomsPopulationTrigger(
            self.membership_id, run_id, cancel_on_kill=self.cancel_on_kill, **self._wait_arguments()
        )

    def _error(self, run_id: str, found: Found) -> CleanRoomsError:
        return from_query(found)

    def _result(self, run_id: str, found: Found) -> dict[str, Any]:
        statistics = found.get("statistics", {})
        return {
            "query_id": run_id,
            "table_id": self.table_id,
            "duration_ms": statistics.get("totalDurationInMillis"),
            "billed_units": statistics.get("billedResourceUtilization", {}).get("units"),
        }

    @property
    def _subject(self) -> str:
        return f"intermediate table {self.table_id}"
