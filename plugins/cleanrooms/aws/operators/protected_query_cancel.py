"""Cancel a protected query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.errors import QueryTimedOut
from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.links.protected_query import QUERY_LINKS, persist_links
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.operators.base import CleanRoomsBaseOperator
from cleanrooms.aws.protected_query import describe, wait
from cleanrooms.aws.watch import Watch

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsCancelProtectedQueryOperator(CleanRoomsBaseOperator[CleanRoomsHook]):
    """Cancel a protected query; one that has ended already stays as it ended.

    :param membership_id: our own membership (templated)
    :param query_id: the query (templated)
    :param wait_for_completion: wait until the query has ended; cancelling takes seconds, so a worker waits
    :param waiter_delay: seconds between two looks
    :param waiter_max_attempts: looks before the task fails
    :return: ``query_id`` and ``status``
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "query_id")
    operator_extra_links = QUERY_LINKS

    def __init__(
        self,
        *,
        membership_id: str,
        query_id: str,
        wait_for_completion: bool = True,
        waiter_delay: int = 5,
        waiter_max_attempts: int = 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.query_id = query_id
        self.wait_for_completion = wait_for_completion
        self.waiter_delay = waiter_delay
        self.waiter_max_attempts = waiter_max_attempts

    def execute(self, context: Context) -> dict[str, Any]:
        """Cancel, and wait for the end.

        :raises QueryTimedOut: it is still being cancelled when the waiting attempts are used up
        """
        persist_links(context, self, self.hook, self.membership_id, query_id=self.query_id)
        subject = f"query {self.query_id} of membership {self.membership_id}"
        try:
            running = self.hook.cancel_query(self.membership_id, self.query_id)
        except Exception as error:
            raise from_aws(error, "UpdateProtectedQuery", subject) from error
        self.log.info("Query %s %s", self.query_id, "is being cancelled" if running else "had ended already")
        if not self.wait_for_completion:
            return self._result(describe(self.hook, self.membership_id, self.query_id))
        watch = Watch(self.waiter_delay, self.waiter_max_attempts)
        ended = wait(self.hook, self.membership_id, self.query_id, watch)
        if ended is None:
            raise QueryTimedOut(
                f"Protected query {self.query_id} was asked to cancel and has not ended.",
                "Look at it in the console; clear the task to wait again.",
            )
        return self._result(ended)

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        return {"query_id": query["id"], "status": query["status"]}
