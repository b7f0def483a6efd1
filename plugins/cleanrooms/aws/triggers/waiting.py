"""Bases of the triggers that wait for the work of a :class:`~cleanrooms.aws.operators.waiting.WaitingOperator`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cleanrooms.aws.triggers.polling import PollingTrigger, Seen


class WaitingTrigger(PollingTrigger):
    """Look at the state of remote work; the event hands back ``run_id``, the operator asks how it ended.

    :param run_id: what is waited for
    :param own: arguments of the subclass, to be serialised
    :param arguments: of the call that describes the work, and of the one that ends it
    :param wait: see :class:`PollingTrigger`
    """

    describe: ClassVar[str]
    state: ClassVar[tuple[str, ...]]
    running: ClassVar[frozenset[str]]

    def __init__(
        self, run_id: str, own: Mapping[str, Any], arguments: Mapping[str, Any], **wait: Any
    ) -> None:
        super().__init__({"run_id": run_id, **own}, **wait)
        self.run_id = run_id
        self.arguments = dict(arguments)

    async def look(self, client: Any) -> Seen:
        """The state, by the service's word."""
        found = await getattr(client, self.describe)(**self.arguments)
        for name in self.state:
            found = found[name]
        return Seen(found, found not in self.running)

    @property
    def returned(self) -> dict[str, Any]:
        """What the operator goes on with."""
        return {"run_id": self.run_id}


class AnalysisTrigger(WaitingTrigger):
    """Wait for a protected analysis of a membership, a query or a job, and cancel it when a person ends the task.

    :param membership_id: our own membership
    :param run_id: the query or job
    :param cancel_on_kill: whether to cancel
    :param wait: see :class:`PollingTrigger`
    """

    kind: ClassVar[str]
    running = frozenset({"SUBMITTED", "STARTED", "CANCELLING"})

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.operation = f"GetProtected{cls.kind}"
        cls.describe = f"get_protected_{cls.kind.lower()}"
        cls.state = (f"protected{cls.kind}", "status")

    def __init__(self, membership_id: str, run_id: str, cancel_on_kill: bool = True, **wait: Any) -> None:
        arguments = {"membershipIdentifier": membership_id, f"protected{self.kind}Identifier": run_id}
        own = {"membership_id": membership_id}
        super().__init__(run_id, own, arguments, cancel_on_kill=cancel_on_kill, **wait)

    async def cancel(self, client: Any) -> None:
        """Ask for the analysis to be cancelled."""
        update = getattr(client, f"update_protected_{self.kind.lower()}")
        await update(**self.arguments, targetStatus="CANCELLED")

    @property
    def subject(self) -> str:
        """The query or job."""
        return f"protected {self.kind.lower()} {self.run_id}"
