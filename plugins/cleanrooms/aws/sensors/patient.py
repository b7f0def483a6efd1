"""Base of the sensors that look at something until nothing lacks any more."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils import validate_execute_complete_event
from airflow.providers.common.compat.sdk import conf
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout

from cleanrooms.aws.looks import ask
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.session import renewed_after
from cleanrooms.aws.triggers.patient import PatientTrigger
from cleanrooms.aws.triggers.polling import PollingTrigger
from cleanrooms.errors import CleanRoomsError, TransientError
from cleanrooms.retry import CLEAN_ROOMS_RETRY_POLICY

if TYPE_CHECKING:
    from airflow.sdk import Context

Hook = TypeVar("Hook", bound=AwsBaseHook)
GRACE = timedelta(minutes=1)  # for the triggerer to say what lacked when the time was over


class DeferrableSensor(AwsBaseSensor[Hook], Generic[Hook]):
    """Pokes in ``reschedule`` mode unless told otherwise, so that a long wait takes no worker slot.

    A look that fails for a passing reason counts as not there yet; any other fails the task at once.

    :param deferrable: wait in the triggerer; ``poke_interval``, ``timeout`` and ``soft_fail`` apply
    """

    trigger_class: ClassVar[type[PollingTrigger]]
    ui_color = "#e3ddf7"

    def __init__(
        self,
        *,
        mode: str = "reschedule",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        if kwargs.get("retry_policy") is None:  # None is what a mapped task passes
            kwargs["retry_policy"] = CLEAN_ROOMS_RETRY_POLICY
        super().__init__(mode=mode, **kwargs)
        self.deferrable = deferrable
        self.found: Any = None

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is looked at, in words."""

    @abstractmethod
    def lacking(self, context: Context) -> str | None:
        """What is not as it should be, in words; None if nothing. May leave a result in ``found``."""

    @abstractmethod
    def trigger(self, **wait: Any) -> PollingTrigger:
        """What waits in the triggerer.

        :param wait: arguments that every trigger takes
        """

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once, and log what lacks."""
        try:
            lacking = self.lacking(context)
        except CleanRoomsError:
            raise  # an answer, such as a query that has failed: looking again shows the same
        except Exception as error:
            trouble = from_aws(error, self.trigger_class.operation, self.subject)
            if trouble.permanent:
                raise trouble from error
            renewed_after(self.hook, trouble)
            lacking = trouble.what
        if lacking:
            self.log.info("Waiting for %s: %s", self.subject, lacking)
        return PokeReturnValue(is_done=lacking is None, xcom_value=None if lacking else self.found)

    def execute(self, context: Context) -> Any:
        """Poke; or look once, and defer if something lacks."""
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return self.found
        delay = max(1, int(self.poke_interval))
        return self.defer(
            trigger=self.trigger(
                waiter_delay=delay,
                waiter_max_attempts=max(1, math.ceil(self.timeout / delay)),
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + GRACE,
        )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Look once more: so an error is raised as what it is, and a timeout says what lacked."""
        event = validate_execute_complete_event(event)
        if self.poke(context):
            return self.found
        if event["status"] == "error":
            raise TransientError(event["message"], event["todo"])
        raise AirflowSensorTimeout(f"The {self.subject} was waited for in vain for {self.timeout:.0f} s.")


class PatientSensor(DeferrableSensor[Hook], Generic[Hook]):
    """A sensor whose look is one of :mod:`cleanrooms.aws.looks`."""

    trigger_class: ClassVar[type[PatientTrigger]]

    @property
    @abstractmethod
    def question(self) -> Mapping[str, Any]:
        """Arguments of the look."""

    def lacking(self, context: Context) -> str | None:
        """What is not as it should be, in words; None if nothing."""
        return ask(self.hook.conn, self.trigger_class.asks(**self.question))

    def trigger(self, **wait: Any) -> PatientTrigger:
        """The same look in the triggerer."""
        return self.trigger_class(self.subject, dict(self.question), **wait)
