"""The operator that refreshes the catalog table of a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cleanrooms.aws.operators.crawler import CleanRoomsCrawlOperator
from cleanrooms.tasks.common import read_source

if TYPE_CHECKING:
    from airflow.sdk import Context


class SourceCrawlOperator(CleanRoomsCrawlOperator):
    """Crawl the table of a source; what the crawler is follows from the source's file.

    :param source: name of the file in ``include/sources/`` (templated)
    """

    template_fields: Sequence[str] = ("source", "aws_conn_id", "region_name", "verify")

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(config={}, **kwargs)
        self.source = source

    def execute(self, context: Context) -> dict[str, Any]:
        self._read_config()
        return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        self._read_config()  # after a deferral the operator is a new object
        return super().resume_execution(next_method, next_kwargs, context)

    def _read_config(self) -> None:
        from cleanrooms.tables.catalog import crawler_definition

        self.config = crawler_definition(read_source(self.source))
