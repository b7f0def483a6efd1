"""The operator that runs one query of a collaboration for the week of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cleanrooms.aws.operators.protected_query import CleanRoomsStartProtectedQueryOperator
from cleanrooms.tasks.common import read_collaboration
from cleanrooms.tasks.configured import ConfiguredOperator
from cleanrooms.windows import week_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class CollaborationQueryOperator(ConfiguredOperator, CleanRoomsStartProtectedQueryOperator):
    """Start (or adopt) the protected query of a collaboration's query for the run's week, and wait for it.

    What is sent stands in ``include/``: neither SQL nor parameters pass through XCom or rendered fields.

    :param collaboration: name of the file in ``include/collaborations/``
    :param query: name of the query in it (templated, mappable)
    """

    template_fields: Sequence[str] = (
        "collaboration",
        "query",
        "force_new_query",
        "aws_conn_id",
        "region_name",
        "verify",
    )

    def __init__(self, *, collaboration: str, query: str, **kwargs: Any) -> None:
        super().__init__(membership_id="", **kwargs)
        self.collaboration = collaboration
        self.query = query

    def _read_config(self, context: Context) -> None:
        """Fill in what the base operator sends, from config, window and the service's ids."""
        from cleanrooms.preflight.checks import parameters
        from cleanrooms.preflight.facts import find_membership, find_template
        from cleanrooms.rules import bind

        collaboration = read_collaboration(self.collaboration)
        query = collaboration.query(self.query)
        week = week_of(context, collaboration.schedule.timezone)
        membership = find_membership(self.hook.conn, collaboration.collaboration)
        values = parameters(query, week)
        self.membership_id = membership["id"]
        if query.template:
            room = membership["collaborationId"]
            self.analysis_template_arn = find_template(self.hook.conn, room, query.template)
            self.parameters = values
        else:
            self.sql = bind(collaboration.sql_text(query), None, values)
        self.result_bucket = collaboration.results.bucket
        self.result_prefix = collaboration.results.key(collaboration.name, query.name, week.label)
        self.worker_type = collaboration.compute.type
        self.worker_number = collaboration.compute.number
        self.log.info("%s: query %s for the week %s", collaboration.name, query.name, week.label)
