"""Wait for a protected query that something else started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_query
from cleanrooms.aws.query_request import summary
from cleanrooms.aws.sensors.patient import DeferrableSensor
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsProtectedQuerySensor(DeferrableSensor[CleanRoomsHook]):
    """Wait until a protected query ended; fail if it ended without success. Never cancels it.

    :param membership_id: our membership, as runner or as receiver of the results (templated)
    :param query_id: the query (templated)
    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    :return: as :class:`~cleanrooms.aws.operators.protected_query.CleanRoomsStartProtectedQueryOperator`
    """

    aws_hook_class = CleanRoomsHook
    trigger_class = CleanRoomsProtectedQueryTrigger
    template_fields: Sequence[str] = aws_template_fields("membership_id", "query_id")

    def __init__(self, *, membership_id: str, query_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.query_id = query_id

    def lacking(self, context: Context) -> str | None:
        """The query's status, unless it is SUCCESS.

        :raises CleanRoomsError: it ended otherwise
        """
        query = self.hook.get_query(self.membership_id, self.query_id)
        if query["status"] in CleanRoomsHook.FAILURE_STATES:
            raise from_query(query)
        if query["status"] not in CleanRoomsHook.SUCCESS_STATES:
            return f"it is {query['status']}"
        self.found = summary(query)
        return None

    def trigger(self, **wait: Any) -> CleanRoomsProtectedQueryTrigger:
        """The operator's trigger, which cancels nothing here."""
        return CleanRoomsProtectedQueryTrigger(
            self.membership_id, self.query_id, cancel_on_kill=False, **wait
        )

    @property
    def subject(self) -> str:
        """What is looked at."""
        return f"query {self.query_id}"
