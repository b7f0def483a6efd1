"""Wait for a protected query that something else started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.common.compat.sdk import conf
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.meaning import from_aws, from_query
from cleanrooms.aws.query_request import summary
from cleanrooms.aws.triggers.protected_query import CleanRoomsProtectedQueryTrigger
from cleanrooms.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsProtectedQuerySensor(AwsBaseSensor[CleanRoomsHook]):
    """Wait until a protected query ended; fail if it ended without success. Never cancels it.

    :param membership_id: our membership, as runner or as receiver of the results (templated)
    :param query_id: the query (templated)
    :param deferrable: wait in the triggerer, without a worker slot; ``poke_interval`` and ``timeout`` apply
    :return: as :class:`~cleanrooms.aws.operators.protected_query.CleanRoomsStartProtectedQueryOperator`
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "query_id")
    ui_color = "#e3ddf7"

    def __init__(
        self,
        *,
        membership_id: str,
        query_id: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.query_id = query_id
        self.deferrable = deferrable

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; a passing trouble counts as not yet."""
        try:
            query = self.hook.get_query(self.membership_id, self.query_id)
        except Exception as error:
            trouble = from_aws(error, "GetProtectedQuery", f"query {self.query_id}")
            if trouble.permanent:
                raise trouble from error
            self.log.warning("%s", trouble.what)
            return PokeReturnValue(is_done=False)
        if query["status"] in CleanRoomsHook.FAILURE_STATES:
            raise from_query(query)
        done = query["status"] in CleanRoomsHook.SUCCESS_STATES
        return PokeReturnValue(is_done=done, xcom_value=summary(query) if done else None)

    def execute(self, context: Context) -> Any:
        """Poke, or defer."""
        if not self.deferrable:
            return super().execute(context)
        return self.defer(
            trigger=CleanRoomsProtectedQueryTrigger(
                membership_id=self.membership_id,
                query_id=self.query_id,
                waiter_delay=max(1, int(self.poke_interval)),
                waiter_max_attempts=max(1, int(self.timeout // max(1, int(self.poke_interval)))),
                cancel_on_kill=False,
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Describe the query once more and return, or raise what it ended with."""
        event = validate_execute_complete_event(event)
        if event["status"] == "error":
            raise (PermanentError if event["permanent"] else TransientError)(event["message"], event["todo"])
        answer = None if event["status"] == "exhausted" else self.poke(context)
        if answer is None or not answer.is_done:
            raise AirflowSensorTimeout(f"Query {self.query_id} did not end within {self.timeout} seconds.")
        return dict(answer.xcom_value or {})
