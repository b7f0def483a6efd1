"""Links to the AWS console.

The console's address of a collaboration is in public use; the part below it that names one query is not
documented, and a console that does not know it shows the collaboration.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook

log = logging.getLogger(__name__)

_COLLABORATION = "/cleanrooms/home?region={region_name}#/collaborations/{collaboration_id}"


class CleanRoomsCollaborationLink(BaseAwsLink):
    """Link to a collaboration."""

    name = "Collaboration"
    key = "_cleanrooms_collaboration"
    format_str = BASE_AWS_CONSOLE_LINK + _COLLABORATION


class CleanRoomsProtectedQueryLink(BaseAwsLink):
    """Link to a protected query."""

    name = "Protected query"
    key = "_cleanrooms_protected_query"
    format_str = BASE_AWS_CONSOLE_LINK + _COLLABORATION + "/queries/{query_id}"


def persist_links(
    context: Context, operator: Any, hook: CleanRoomsHook, membership_id: str, query_id: str
) -> None:
    """Store what the links of a query need. They are a convenience: whatever fails, the query goes on."""
    try:
        collaboration_id = hook.get_membership(membership_id)["collaborationId"]
        for link in (CleanRoomsProtectedQueryLink, CleanRoomsCollaborationLink):
            link.persist(
                context=context,
                operator=operator,
                region_name=hook.conn_region_name,
                aws_partition=hook.conn_partition,
                collaboration_id=collaboration_id,
                query_id=query_id,
            )
    except Exception as error:
        log.info("No console links for query %s: %s", query_id, type(error).__name__)
