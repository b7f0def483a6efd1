"""Wait in the triggerer for the members of a collaboration."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook


class CleanRoomsMembersActiveTrigger(AwsBaseWaiterTrigger):
    """Wait until every invited member has joined.

    :param collaboration_id: the collaboration
    :param waiter_delay: seconds between two looks
    :param waiter_max_attempts: looks before giving up
    :param aws_conn_id: Airflow connection
    :param region_name: AWS region
    :param verify: whether or how to verify TLS certificates
    :param botocore_config: settings of the botocore client
    """

    aws_hook_class = CleanRoomsHook

    def __init__(
        self,
        collaboration_id: str,
        waiter_delay: int = 30,
        waiter_max_attempts: int = 2760,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            serialized_fields={"collaboration_id": collaboration_id},
            waiter_name="members_active",
            waiter_args={"collaborationIdentifier": collaboration_id},
            failure_message=f"Members of collaboration {collaboration_id} could not be listed",
            status_message=f"Members of collaboration {collaboration_id} are",
            status_queries=["memberSummaries[].[accountId, status]"],
            return_key="collaboration_id",
            return_value=collaboration_id,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )

    def hook(self) -> CleanRoomsHook:
        """The hook; provider 9.34 has no default for it."""
        return CleanRoomsHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
