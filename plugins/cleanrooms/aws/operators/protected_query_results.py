"""Collect what a protected query left: a checked list of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from cleanrooms.aws.hooks.cleanrooms import CleanRoomsHook
from cleanrooms.aws.links.protected_query import QUERY_LINKS, persist_links
from cleanrooms.aws.meaning import from_aws
from cleanrooms.aws.operators.base import CleanRoomsBaseOperator
from cleanrooms.aws.protected_query import describe
from cleanrooms.aws.results import default_location, delivery_of, objects_of
from cleanrooms.errors import TransientError

if TYPE_CHECKING:
    from airflow.sdk import Context


class CleanRoomsCollectResultsOperator(CleanRoomsBaseOperator[CleanRoomsHook]):
    """List the objects of a query's result, whoever received it, and check that they are one result.

    A result in S3 is listed there. One that was sent to members is listed if we are one of them, at our
    membership's default location; for the others only their accounts are known.

    :param membership_id: our own membership (templated)
    :param query_id: the query, which must have succeeded (templated)
    :param location: where to look instead, ``s3://bucket/prefix/`` (templated)
    :param empty_allowed: whether no object at all is a result; some queries write none for no rows
    :return: ``query_id``, ``location`` (None if nothing was for us), ``receivers`` (other accounts),
        ``objects`` (bucket, key, size) and ``bytes``
    """

    aws_hook_class = CleanRoomsHook
    template_fields: Sequence[str] = aws_template_fields("membership_id", "query_id", "location")
    operator_extra_links = QUERY_LINKS

    def __init__(
        self,
        *,
        membership_id: str,
        query_id: str,
        location: str | None = None,
        empty_allowed: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.membership_id = membership_id
        self.query_id = query_id
        self.location = location
        self.empty_allowed = empty_allowed

    def execute(self, context: Context) -> dict[str, Any]:
        """Find the location, list it, check it.

        :raises PermanentError: the query did not succeed, or our membership has no default location
        :raises ReleaseRefused: the location holds parts of several results
        :raises TransientError: there is nothing, and that is not allowed: S3 may show it later
        """
        persist_links(context, self, self.hook, self.membership_id, query_id=self.query_id)
        delivery = delivery_of(describe(self.hook, self.membership_id, self.query_id))
        location, receivers = self.location or delivery.location, list(delivery.receivers)
        if location is None:
            location, receivers = self._ours(receivers)
        objects = [] if location is None else self._objects(location)
        if location is not None and not objects and not self.empty_allowed:
            raise TransientError(
                f"The result of query {self.query_id} has no objects in {location}.",
                "Look whether the location is right; set empty_allowed if no rows are a result.",
            )
        total = sum(item["size"] for item in objects)
        self.log.info("Query %s left %d objects, %d bytes", self.query_id, len(objects), total)
        return {
            "query_id": self.query_id,
            "location": location,
            "receivers": receivers,
            "objects": objects,
            "bytes": total,
        }

    def _ours(self, receivers: list[str]) -> tuple[str | None, list[str]]:
        """Our default location if we are a receiver, and the other receivers."""
        account = self.hook.account_id
        if account not in receivers:
            return None, receivers
        try:
            membership = self.hook.get_membership(self.membership_id)
        except Exception as error:
            raise from_aws(error, "GetMembership", f"membership {self.membership_id}") from error
        location = default_location(membership, membership["collaborationId"], self.query_id)
        return location, [other for other in receivers if other != account]

    def _objects(self, location: str) -> list[dict[str, Any]]:
        s3 = S3Hook(**self._hook_settings())
        try:
            return objects_of(s3.conn, location)
        except Exception as error:
            raise from_aws(error, "ListObjectsV2", location) from error
