"""From a result configuration to the places that a result goes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox import inside
from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.engine.delivery import Destination
from sandbox.cleanrooms.room import CAN_RECEIVE_RESULTS, Room, member_of
from sandbox.cleanrooms.state import Document
from sandbox.clients import root_client
from sandbox.wire import Caller


@dataclass(frozen=True)
class Outputs:
    """Where a query's result goes.

    :param configuration: the ``outputConfiguration`` in force, defaults filled in
    :param own: what is written to a location of the runner
    :param members: what is delivered to other members' locations
    """

    configuration: Mapping[str, Any]
    own: tuple[Destination, ...]
    members: tuple[Destination, ...]

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """All places."""
        return (*self.own, *self.members)

    @property
    def receivers(self) -> tuple[str, ...]:
        """Accounts that receive the result, each once."""
        return tuple(dict.fromkeys(one.account for one in self.destinations))

    def shown(self, collaboration: str, query: str) -> Document:
        """Returns ``result.output`` of the finished query."""
        if "intermediateTable" in self.configuration:
            return {}
        locations = [{"location": one.location(collaboration, query)} for one in self.own]
        members = [{"accountId": one.account} for one in self.members]
        if "distribute" in self.configuration:
            return {"distribute": {"s3": locations[0] if locations else None, "memberList": members or None}}
        return {"s3": locations[0]} if locations else {"memberList": members}


def outputs_of(
    room: Room,
    caller: Caller,
    membership: Document,
    collaboration: Document,
    configuration: Mapping[str, Any] | None,
) -> Outputs:
    """Returns the places that a request names, or the default of the receiver's membership.

    :param configuration: ``resultConfiguration.outputConfiguration`` of the request
    :raises ServiceFault: ValidationException
    """
    if configuration is None:
        return _default(room, caller, membership, collaboration)
    if "s3" in configuration:
        return Outputs(configuration, (_own(caller, configuration["s3"]),), ())
    if "member" in configuration:
        account = configuration["member"]["accountId"]
        return Outputs(configuration, (), (_delivered(room, collaboration, account),))
    if "distribute" in configuration:
        return _distributed(room, caller, collaboration, configuration)
    raise refusals.field_invalid("outputConfiguration", "has to be s3, member or distribute")


def check_buckets(outputs: Outputs, region: str, allowed_regions: Collection[str]) -> None:
    """Lets pass result buckets that exist, are the receivers' and lie where the collaboration permits.

    :param allowed_regions: ``allowedResultRegions`` of the collaboration; empty for all
    :raises ServiceFault: ValidationException
    """
    for destination in outputs.destinations:
        try:
            located = _location(destination, region) if allowed_regions else {}
        except ClientError:
            located = None
        if located is None or not inside.services().has_bucket(destination.account, destination.bucket):
            message = (
                f"Bucket {destination.bucket} cannot receive results: it does not exist or is another's."
            )
            raise refusals.unready(message)
        # A bucket in us-east-1 has no constraint.
        if allowed_regions and (located.get("LocationConstraint") or "us-east-1") not in allowed_regions:
            message = f"Bucket {destination.bucket} is not in a Region that allowedResultRegions names."
            raise refusals.unready(message)


def _location(destination: Destination, region: str) -> Mapping[str, Any]:
    client = root_client("s3", destination.account, region)
    return dict(client.get_bucket_location(Bucket=destination.bucket))


def _own(caller: Caller, s3: Mapping[str, Any], role: str | None = None) -> Destination:
    return Destination(
        account=caller.account,
        bucket=s3["bucket"],
        prefix=_prefix(s3),
        file_format=s3["resultFormat"],
        principal=role or caller.principal_arn,
        assumed=role is not None,
        single=s3.get("singleFileOutput", False),
    )


def _prefix(s3: Mapping[str, Any]) -> str:
    trimmed = s3.get("keyPrefix", "").strip("/")
    return f"{trimmed}/" if trimmed else ""


def _default(room: Room, caller: Caller, membership: Document, collaboration: Document) -> Outputs:
    """The runner's own default location, else that of the only member who has one."""
    if (mine := membership.get("defaultResultConfiguration")) and "s3" in mine["outputConfiguration"]:
        configuration = mine["outputConfiguration"]
        return Outputs(configuration, (_own(caller, configuration["s3"], mine.get("roleArn")),), ())
    receivers = [
        member["accountId"]
        for member in collaboration["_members"]
        if CAN_RECEIVE_RESULTS in member["abilities"]
        and member["accountId"] != caller.account
        and _default_of(room, member)
    ]
    if len(receivers) != 1:
        raise refusals.field_invalid(
            "resultConfiguration", "is needed: there is no single default result configuration"
        )
    delivered = _delivered(room, collaboration, receivers[0])
    return Outputs({"member": {"accountId": receivers[0]}}, (), (delivered,))


def _distributed(
    room: Room, caller: Caller, collaboration: Document, configuration: Mapping[str, Any]
) -> Outputs:
    locations = configuration["distribute"]["locations"]
    buckets = [one["s3"] for one in locations if "s3" in one]
    accounts = [one["member"]["accountId"] for one in locations if "member" in one]
    if len(buckets) > 1:
        raise refusals.field_invalid("distribute.locations", "at most one of them may be an s3 location")
    if caller.account in accounts:
        raise refusals.field_invalid(
            "distribute.locations",
            "the member who runs the query takes an s3 location, not a member location",
        )
    own = tuple(_own(caller, s3) for s3 in buckets)
    members = tuple(_delivered(room, collaboration, account) for account in dict.fromkeys(accounts))
    return Outputs(configuration, own, members)


def _delivered(room: Room, collaboration: Document, account: str) -> Destination:
    """The default location of another member."""
    member = member_of(collaboration, account)
    if member is None:
        raise refusals.field_invalid("accountId", f"{account} is no member of the collaboration")
    default = _default_of(room, member)
    if default is None:
        raise refusals.unready(
            f"Member {account} has no active membership with a default result configuration."
        )
    role = default.get("roleArn")
    s3 = default["outputConfiguration"]["s3"]
    return Destination(
        account=account,
        bucket=s3["bucket"],
        prefix=_prefix(s3),
        file_format=s3["resultFormat"],
        principal=role or f"arn:aws:iam::{account}:root",
        assumed=role is not None,
        single=s3.get("singleFileOutput", False),
    )


def _default_of(room: Room, member: Document) -> Document | None:
    membership = room.store.get("membership", member.get("membershipId", ""))
    if membership is None or membership["status"] != "ACTIVE":
        return None
    default: Document | None = membership.get("defaultResultConfiguration")
    return default if default and "s3" in default["outputConfiguration"] else None
