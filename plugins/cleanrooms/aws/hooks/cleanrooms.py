"""Hook for AWS Clean Rooms."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import ClientError

from cleanrooms.errors import PermanentError

if TYPE_CHECKING:
    from types_boto3_cleanrooms.client import CleanRoomsServiceClient


class CleanRoomsHook(AwsBaseHook):
    """Thin verbs over the API of AWS Clean Rooms; answers are the API's own dicts.

    Additional arguments (such as ``aws_conn_id``) may be specified and are passed down to the underlying
    AwsBaseHook.

    .. seealso::
        - :class:`airflow.providers.amazon.aws.hooks.base_aws.AwsBaseHook`
    """

    INTERMEDIATE_STATES = ("SUBMITTED", "STARTED", "CANCELLING")
    FAILURE_STATES = ("FAILED", "CANCELLED", "TIMED_OUT")
    SUCCESS_STATES = ("SUCCESS",)
    TERMINAL_STATES = (*SUCCESS_STATES, *FAILURE_STATES)

    BATCH_SIZE = 25

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "cleanrooms"
        super().__init__(*args, **kwargs)

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """Our waiters: the provider looks only into its own folder."""
        return Path(__file__).parents[1] / "waiters" / "cleanrooms.json"

    @property
    def client(self) -> CleanRoomsServiceClient:
        """The client, with its type."""
        return cast("CleanRoomsServiceClient", self.conn)

    @cached_property
    def unrepeating_client(self) -> CleanRoomsServiceClient:
        """A client that sends each call once.

        botocore repeats a call whose answer is lost. StartProtectedQuery has no token to recognise a
        repetition, so that would start, and bill, a second query.
        """
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client = self.get_client_type(region_name=self.region_name, config=self.config.merge(once))
        return cast("CleanRoomsServiceClient", client)

    def start_query(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Start a protected query by a single call.

        :param arguments: of StartProtectedQuery
        :return: ``ProtectedQuery``
        """
        return dict(self.unrepeating_client.start_protected_query(**arguments)["protectedQuery"])

    def get_query(self, membership_id: str, query_id: str) -> dict[str, Any]:
        """Describe a protected query (20 calls a second; the only call to poll)."""
        answer = self.client.get_protected_query(
            membershipIdentifier=membership_id, protectedQueryIdentifier=query_id
        )
        return dict(answer["protectedQuery"])

    def cancel_query(self, membership_id: str, query_id: str) -> bool:
        """Ask for a query to be cancelled; False if it has ended already."""
        try:
            self.client.update_protected_query(
                membershipIdentifier=membership_id,
                protectedQueryIdentifier=query_id,
                targetStatus="CANCELLED",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConflictException":
                return False
            raise
        return True

    def iterate_queries(self, membership_id: str, status: str | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of a membership's queries, newest first; a page is fetched when it is reached."""
        return self._pages(
            "list_protected_queries", "protectedQueries", membershipIdentifier=membership_id, status=status
        )

    def list_memberships(self, status: str | None = None) -> list[dict[str, Any]]:
        """Summaries of our memberships."""
        return list(self._pages("list_memberships", "membershipSummaries", status=status))

    def get_membership(self, membership_id: str) -> dict[str, Any]:
        """Describe one of our memberships."""
        return dict(self.client.get_membership(membershipIdentifier=membership_id)["membership"])

    def find_membership(self, collaboration: str) -> dict[str, Any]:
        """Our active membership in a collaboration.

        :param collaboration: the collaboration's id or name
        :raises PermanentError: if there is none, or several collaborations have that name
        """
        found = [
            membership
            for membership in self.list_memberships(status="ACTIVE")
            if collaboration in (membership["collaborationId"], membership["collaborationName"])
        ]
        if not found:
            raise PermanentError(
                f"This account has no active membership in collaboration {collaboration}.",
                "Accept the invitation (create a membership), or check account and region of the connection.",
            )
        if len(found) > 1:
            ids = ", ".join(sorted(membership["collaborationId"] for membership in found))
            raise PermanentError(
                f"{len(found)} collaborations are named {collaboration}: {ids}.", "Use the id."
            )
        return found[0]

    def get_collaboration(self, collaboration_id: str) -> dict[str, Any]:
        """Describe a collaboration."""
        answer = self.client.get_collaboration(collaborationIdentifier=collaboration_id)
        return dict(answer["collaboration"])

    def list_members(self, collaboration_id: str) -> list[dict[str, Any]]:
        """Members of a collaboration with status and abilities."""
        return list(self._pages("list_members", "memberSummaries", collaborationIdentifier=collaboration_id))

    def list_schemas(self, collaboration_id: str) -> list[dict[str, Any]]:
        """Summaries of all tables that are associated with a collaboration."""
        return list(self._pages("list_schemas", "schemaSummaries", collaborationIdentifier=collaboration_id))

    def get_schemas(
        self, collaboration_id: str, names: Iterable[str]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """Describe tables of a collaboration.

        :return: the ``Schema`` of each table found, and why each other one was not
        """
        schemas: dict[str, dict[str, Any]] = {}
        errors: dict[str, str] = {}
        for some in _batches(names, self.BATCH_SIZE):
            answer = self.client.batch_get_schema(collaborationIdentifier=collaboration_id, names=some)
            schemas |= {schema["name"]: dict(schema) for schema in answer["schemas"]}
            errors |= {error["name"]: f"{error['code']}: {error['message']}" for error in answer["errors"]}
        return schemas, errors

    def get_analysis_rules(
        self, collaboration_id: str, wanted: Iterable[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[tuple[str, str], str]]:
        """Analysis rules as they apply in a collaboration.

        :param wanted: pairs of table name and rule type (AGGREGATION, LIST, CUSTOM, …)
        :return: the ``AnalysisRule`` of each pair found, and why each other one was not
        """
        rules: dict[tuple[str, str], dict[str, Any]] = {}
        errors: dict[tuple[str, str], str] = {}
        for some in _batches(wanted, self.BATCH_SIZE):
            requests: Any = [{"name": name, "type": kind} for name, kind in some]
            answer = self.client.batch_get_schema_analysis_rule(
                collaborationIdentifier=collaboration_id, schemaAnalysisRuleRequests=requests
            )
            rules |= {(rule["name"], rule["type"]): dict(rule) for rule in answer["analysisRules"]}
            errors |= {
                (error["name"], error["type"]): f"{error['code']}: {error['message']}"
                for error in answer["errors"]
            }
        return rules, errors

    def list_analysis_templates(self, collaboration_id: str) -> list[dict[str, Any]]:
        """Summaries of all members' analysis templates in a collaboration."""
        return list(
            self._pages(
                "list_collaboration_analysis_templates",
                "collaborationAnalysisTemplateSummaries",
                collaborationIdentifier=collaboration_id,
            )
        )

    def get_analysis_template(self, collaboration_id: str, template_arn: str) -> dict[str, Any]:
        """Describe an analysis template as the collaboration sees it."""
        answer = self.client.get_collaboration_analysis_template(
            collaborationIdentifier=collaboration_id, analysisTemplateArn=template_arn
        )
        return dict(answer["collaborationAnalysisTemplate"])

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        connection: Any = self.conn
        for page in connection.get_paginator(operation).paginate(
            **{k: v for k, v in arguments.items() if v is not None}
        ):
            yield from page[key]


def _batches(items: Iterable[Any], size: int) -> Iterator[Sequence[Any]]:
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
