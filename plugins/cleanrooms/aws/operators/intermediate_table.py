"""Fill an intermediate table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_query
from cleanrooms.aws.operators.waiting import Found, WaitingOperator
from cleanrooms.aws.triggers.intermediate_table import CleanRoomsPopulationTrigger
from cleanrooms.errors import CleanRoomsError


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
    running = frozenset(CleanRoomsHook.INTERMEDIATE_STATES)
    succeeded = frozenset(CleanRoomsHook.SUCCESS_STATES)

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields(
        "membership_id", "table_id", "parameters", "payer_account_id"
    )
    ui_color = "#e3ddf7"

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
        """The query of the table's newest version, if it is that young."""
        client: Any = self.hook.conn
        table = client.get_intermediate_table(
            membershipIdentifier=self.membership_id, intermediateTableIdentifier=self.table_id
        )["intermediateTable"]
        query_id = table.get("intermediateTableVersion", {}).get("analysisId")
        if query_id is None or self._describe(query_id)["createTime"] < since:
            return None
        return str(query_id)

    def _cancel(self, run_id: str) -> None:
        self.hook.cancel_query(self.membership_id, run_id)

    def _trigger(self, run_id: str) -> CleanRoomsPopulationTrigger:
        return CleanRoomsPopulationTrigger(
            self.membership_id, run_id, self.cancel_on_kill, **self._wait_arguments()
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
