"""The base of operators whose arguments stand in a config file."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ConfiguredOperator(BaseOperator):
    """Reads its config file before it works, in each try and after each deferral; goes before the operator's class.

    A task sees the file as it is when it runs, and no XCom or rendered field carries what stands in it.
    """

    def execute(self, context: Context) -> Any:
        """As the operator's own, on what the file says."""
        self._read_config(context)
        return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """As the operator's own, on what the file says: after a deferral the operator is a new object."""
        self._read_config(context)
        return super().resume_execution(next_method, next_kwargs, context)

    @abstractmethod
    def _read_config(self, context: Context) -> None:
        """Fills in what the operator works with."""
