"""Base of the triggers that look at something until nothing lacks any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from cleanrooms.aws.looks import Look, ask_async
from cleanrooms.aws.triggers.polling import PollingTrigger, Seen


class PatientTrigger(PollingTrigger):
    """Ask until nothing lacks; how long a wait takes is said by delay and attempts.

    :param subject: what is looked at, in words
    :param question: arguments of the class's :attr:`asks`
    :param wait: see :class:`PollingTrigger`
    """

    asks: ClassVar[Callable[..., Look]]

    def __init__(self, subject: str, question: dict[str, Any], **wait: Any) -> None:
        super().__init__({"subject": subject, "question": question}, **wait)

    async def look(self, client: Any) -> Seen:
        """What lacks."""
        lacking = await ask_async(client, type(self).asks(**self.own["question"]))
        return Seen(f"not ready ({lacking})" if lacking else "ready", lacking is None)

    @property
    def subject(self) -> str:
        """What is looked at."""
        return str(self.own["subject"])
