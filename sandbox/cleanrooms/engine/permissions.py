"""What the service may do in a member's account: the association's role, the receiver, the runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.access import allowed, service_may_assume
from sandbox.cleanrooms import names
from sandbox.cleanrooms.catalog import GlueTable
from sandbox.cleanrooms.engine.failures import RESOURCE_ACCESS_DENIED, QueryFailed

SERVICE = "cleanrooms.amazonaws.com"


@dataclass(frozen=True)
class Runner:
    """In whose name a query runs: what the service tells STS against the confused deputy."""

    membership_id: str
    membership_arn: str

    def context(self) -> dict[str, str]:
        """Returns the condition keys of the service's AssumeRole call (its User Guide, confused deputy)."""
        region, account = names.region_of(self.membership_arn), names.account_of(self.membership_arn)
        return {
            "aws:SourceArn": self.membership_arn,
            "aws:SourceAccount": account,
            "sts:ExternalId": f"arn:aws:cleanrooms:{region}:{account}:dbuser:cleanrooms/{self.membership_id}",
        }


def trusts_service(role: str, region: str, runner: Runner) -> bool:
    """Returns whether Clean Rooms may assume ``role`` for the runner's query."""
    return service_may_assume(role, SERVICE, region, context=runner.context())


def check_catalog_access(name: str, role: str, table: GlueTable, runner: Runner) -> None:
    """Lets pass a service role that trusts the service and may read the table's definition.

    :param name: of the association
    :raises QueryFailed: RESOURCE_ACCESS_DENIED
    """
    if not trusts_service(role, table.region, runner):
        raise _inaccessible(name, "its trust policy does not let cleanrooms.amazonaws.com assume it")
    actions = ["glue:GetTable", *(["glue:GetPartitions"] if table.partition_keys else [])]
    for action in actions:
        if not allowed(role, action, table.arn, table.region):
            raise _inaccessible(name, f"it lacks {action}")


def check_object_access(name: str, role: str, table: GlueTable, bucket: str, keys: Sequence[str]) -> None:
    """Lets pass a service role that may list the table's bucket and read the objects at both ends.

    :raises QueryFailed: RESOURCE_ACCESS_DENIED
    """
    context = {"s3:ResourceAccount": table.account, "aws:ResourceAccount": table.account}
    listing = {**context, "s3:prefix": table.storage.prefix}
    if not allowed(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}", table.region, context=listing):
        raise _inaccessible(name, "it lacks s3:ListBucket on the table's bucket")
    for key in dict.fromkeys((*keys[:1], *keys[-1:])):
        if not allowed(role, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", table.region, context=context):
            raise _inaccessible(name, "it lacks s3:GetObject on the table's location")


def may_write(principal: str, account: str, bucket: str, key: str, region: str) -> bool:
    """Returns whether a principal may write a result object, called via the service."""
    context = {
        "aws:CalledVia": [SERVICE],
        "s3:ResourceAccount": account,
        "aws:ResourceAccount": account,
    }
    return allowed(principal, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", region, context=context)


def _inaccessible(name: str, why: str) -> QueryFailed:
    return QueryFailed(
        RESOURCE_ACCESS_DENIED,
        "One or more tables referenced by the query is not accessible by its associated service role: "
        f"for table {name}, {why}.",
    )
