"""A collaboration of two accounts that is built for one test run and taken away at its end, whatever happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from tests.conformance.places import Place
from tests.sandbox.cleanrooms.lab import ENDED, Party

RETRIED = 12
FEWEST = {"type": "CR.1X", "number": 2}
"""Workers of a query: the smallest bill."""


class Member(Party):
    """One account, with what the tests make in it."""

    def __init__(self, place: Place, account: str) -> None:
        self.place, self.membership = place, ""
        self.configured: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        super().__init__(place, account, place.unique())  # type: ignore[arg-type]

    def client(self, service: str, **more: Any) -> Any:
        if service not in self._clients:
            self._clients[service] = self.place.client(service, self.account)
        return self._clients[service]

    def __post_init__(self) -> None:
        if self.place.region != "us-east-1":
            where = {"CreateBucketConfiguration": {"LocationConstraint": self.place.region}}
            s3 = self.client("s3")
            make = s3.create_bucket
            s3.create_bucket = lambda **given: make(**given, **where)
        super().__post_init__()

    def service_role(self, *without: str, trust: str = "cleanrooms.amazonaws.com") -> str:
        actions = [
            "glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartition",
            "glue:GetPartitions", "glue:BatchGetPartition", "glue:GetSchema", "glue:GetSchemaVersion",
            "s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject",
        ]  # fmt: skip
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return self.place.role(self.prefix, statement, account=self.account, trust={"Service": trust})

    def configure(self, table: str, columns: Sequence[str], **more: Any) -> str:
        self.configured[table] = super().configure(table, columns, **more)
        return self.configured[table]

    def associate(self, membership: str, configured: str, name: str, role: str | None = None) -> str:
        """A new role takes a moment to be known everywhere."""
        for attempt in range(RETRIED):
            try:
                return super().associate(membership, configured, name, role)
            except ClientError as error:
                late = error.response.get("reason") == "IAM_SYNCHRONIZATION_DELAY"
                if not late or attempt == RETRIED - 1:
                    raise
                time.sleep(10)
        raise AssertionError("unreachable")

    def table_of(self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """A small Parquet table of strings and ints."""
        types = {"string": pa.string(), "int": pa.int32(), "date": pa.string()}
        named = list(columns)
        table = pa.table(
            {
                column: pa.array([row[at] for row in rows], types[columns[column]])
                for at, column in enumerate(named)
            }
        )
        self.parquet_table(name, columns, table)


class Room:
    """The collaboration; the brand may query and receive."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.undo: list[tuple[str, Callable[[], Any]]] = []
        self.brand, self.retailer = self._member(place.brand), self._member(place.retailer)
        created = self.retailer.clean_rooms.create_collaboration(
            name=place.unique(),
            description="Conformance tests; may be deleted.",
            creatorDisplayName="Retailer",
            creatorMemberAbilities=[],
            members=[
                {
                    "accountId": place.brand,
                    "displayName": "Brand",
                    "memberAbilities": ["CAN_QUERY", "CAN_RECEIVE_RESULTS"],
                }
            ],
            queryLogStatus="DISABLED",
        )
        self.collaboration = str(created["collaboration"]["id"])
        # The creator leaves by deleting the collaboration, the others before.
        self.later("the retailer's membership", lambda: _leave(self.retailer))
        self.later(f"collaboration {self.collaboration}", self._delete)
        self.retailer.membership = self._join(self.retailer)
        self.later("the retailer's associations", lambda: _empty(self.retailer))
        self.brand.membership = self._join(self.brand)
        self.later("the brand's membership", lambda: _leave(self.brand))
        self.later("the brand's associations", lambda: _empty(self.brand))

    def _member(self, account: str) -> Member:
        member = Member(self.place, account)
        self.later(f"buckets, tables and role {member.prefix} of {account}", member.remove)
        self.later(f"configured tables of {account}", lambda: _remove_tables(member))
        return member

    def _join(self, member: Member) -> str:
        answer = member.clean_rooms.create_membership(
            collaborationIdentifier=self.collaboration, queryLogStatus="DISABLED"
        )
        return str(answer["membership"]["id"])

    def _delete(self) -> None:
        self.retailer.clean_rooms.delete_collaboration(collaborationIdentifier=self.collaboration)

    def share(
        self, member: Member, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]],
        kind: str, policy: Mapping[str, Any],
    ) -> str:  # fmt: skip
        """A table with a rule, ready to be queried by the brand; returns the configured table's id."""
        member.table_of(name, columns, rows)
        return member.share(
            member.membership, name, list(columns), kind, policy, receivers=[self.place.brand]
        )

    def start(self, sql: str = "", member: Member | None = None, **more: Any) -> str:
        """Starts a query as the brand (or as another member); returns its id."""
        caller = member or self.brand
        place = {"resultFormat": "CSV", "bucket": self.brand.results, "keyPrefix": "conformance"}
        request = {
            "sqlParameters": {"queryString": sql},
            "resultConfiguration": {"outputConfiguration": {"s3": place}},
            "computeConfiguration": {"worker": FEWEST},
            **more,
        }
        started = caller.clean_rooms.start_protected_query(
            type="SQL", membershipIdentifier=caller.membership, **request
        )
        return str(started["protectedQuery"]["id"])

    def query(self, identifier: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.brand.clean_rooms.get_protected_query(
            membershipIdentifier=self.brand.membership, protectedQueryIdentifier=identifier
        )["protectedQuery"]
        return shown

    def wait(self, identifier: str, *statuses: str) -> dict[str, Any]:
        """Waits for one of the statuses, or for any end."""
        until = time.monotonic() + self.place.patience
        while time.monotonic() < until:
            shown = self.query(identifier)
            if shown["status"] in (*statuses, *ENDED):
                return shown
            time.sleep(self.place.pause)
        raise AssertionError(f"query {identifier} is still {shown['status']}")

    def cancel(self, identifier: str) -> None:
        self.brand.clean_rooms.update_protected_query(
            membershipIdentifier=self.brand.membership,
            protectedQueryIdentifier=identifier,
            targetStatus="CANCELLED",
        )

    def objects(self, location: str) -> dict[str, bytes]:
        """The result's objects by key, without markers and empty probes."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        found = self.brand.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        keys = [entry["Key"] for entry in found if entry["Size"]]
        return {key: self.brand.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def later(self, what: str, undo: Callable[[], Any]) -> None:
        """Remembers how to take something away."""
        self.undo.append((what, undo))

    def close(self) -> None:
        """Takes everything away, the newest first, whatever fails.

        :raises AssertionError: something is left; says what
        """
        left = []
        for what, undo in reversed(self.undo):
            try:
                undo()
            except Exception as error:
                left.append(f"{what} ({error})")
        assert not left, "not taken away, delete it by hand: " + "; ".join(left)


@contextlib.contextmanager
def room(place: Place) -> Iterator[Room]:
    """A room that is closed at the end."""
    made = Room.__new__(Room)
    try:
        made.__init__(place)  # type: ignore[misc]
        yield made
    finally:
        made.close()


def _empty(member: Member) -> None:
    """Takes away what a membership holds."""
    api, membership = member.clean_rooms, member.membership
    found = api.list_configured_table_associations(membershipIdentifier=membership)
    for association in found["configuredTableAssociationSummaries"]:
        where = {
            "membershipIdentifier": membership,
            "configuredTableAssociationIdentifier": association["id"],
        }
        for kind in association.get("analysisRuleTypes") or []:
            api.delete_configured_table_association_analysis_rule(**where, analysisRuleType=kind)
        api.delete_configured_table_association(**where)
    for template in api.list_analysis_templates(membershipIdentifier=membership)["analysisTemplateSummaries"]:
        api.delete_analysis_template(
            membershipIdentifier=membership, analysisTemplateIdentifier=template["id"]
        )


def _leave(member: Member) -> None:
    if member.membership:
        member.clean_rooms.delete_membership(membershipIdentifier=member.membership)


def _remove_tables(member: Member) -> None:
    for identifier in member.configured.values():
        with contextlib.suppress(member.clean_rooms.exceptions.ResourceNotFoundException):
            member.clean_rooms.delete_configured_table(configuredTableIdentifier=identifier)
