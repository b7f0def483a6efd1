"""Links to the AWS console.

The console's address of a collaboration is in public use; the part below it that names one query or job is not
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


class CleanRoomsProtectedJobLink(BaseAwsLink):
    """Link to a protected job."""

    name = "Protected job"
    key = "_cleanrooms_protected_job"
    format_str = BASE_AWS_CONSOLE_LINK + _COLLABORATION + "/jobs/{job_id}"


class DataBrewJobLink(BaseAwsLink):
    """Link to the jobs of DataBrew."""

    name = "DataBrew job"
    key = "_cleanrooms_databrew_job"
    format_str = BASE_AWS_CONSOLE_LINK + "/databrew/home?region={region_name}#job-details?job={job_name}"


QUERY_LINKS = (CleanRoomsProtectedQueryLink(), CleanRoomsCollaborationLink())
JOB_LINKS = (CleanRoomsProtectedJobLink(), CleanRoomsCollaborationLink())


def persist(context: Context, operator: Any, hook: Any, link: type[BaseAwsLink], **ids: str) -> None:
    """Store what a link needs. Links are a convenience: whatever fails, the task goes on."""
    try:
        link.persist(
            context=context,
            operator=operator,
            region_name=hook.conn_region_name,
            aws_partition=hook.conn_partition,
            **ids,
        )
    except Exception as error:
        log.info("No console link %s: %s", link.name, type(error).__name__)


def persist_links(
    context: Context, operator: Any, hook: CleanRoomsHook, membership_id: str, **ids: str
) -> None:
    """Store what the links of an operator need.

    :param ids: such as ``query_id``, beside the id of the collaboration, which is looked up
    """
    try:
        collaboration_id = hook.get_membership(membership_id)["collaborationId"]
    except Exception as error:
        log.info("No console links: %s", type(error).__name__)
        return
    for link in operator.operator_extra_links:
        persist(context, operator, hook, type(link), collaboration_id=collaboration_id, **ids)
