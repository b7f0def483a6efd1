"""Associations: a configured table in one collaboration, under the name that queries use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.access import allowed
from sandbox.cleanrooms import names, quotas, refusals
from sandbox.cleanrooms.intermediate_states import settle
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.cleanrooms.table_names import check_free
from sandbox.wire import Caller

SERVICE = "cleanrooms.amazonaws.com"
_SUMMARY = (
    "id",
    "arn",
    "configuredTableId",
    "membershipId",
    "membershipArn",
    "name",
    "createTime",
    "updateTime",
    "analysisRuleTypes",
)


class Associations(Room):
    """Operations on configured table associations."""

    def create_configured_table_association(self, caller: Caller, **request: Any) -> Document:
        """Brings a configured table into the collaboration of a membership; its name becomes lower case.

        :raises ServiceFault: ConflictException when the collaboration has a table of that name
        """
        _check_role(caller, request["roleArn"])
        with self.store.transaction():
            membership = self.active_membership_of(caller, request["membershipIdentifier"])
            table = self.owned(caller, "CONFIGURED_TABLE", request["configuredTableIdentifier"])
            name = request["name"].lower()
            collaboration = membership["collaborationId"]
            check_free(self, collaboration, name, associations_in(self, collaboration))
            mine = self.store.find("configured_table_association", parent=membership["id"])
            quotas.within(
                quotas.ASSOCIATIONS_PER_MEMBERSHIP, len(mine) + 1, "Table associations per membership"
            )
            identifier, created = names.new_id(), names.now()
            body = {
                "id": identifier,
                "arn": names.child_arn(membership["arn"], "configuredtableassociation", identifier),
                "name": name,
                "description": request.get("description"),
                "configuredTableId": table["id"],
                "configuredTableArn": table["arn"],
                "membershipId": membership["id"],
                "membershipArn": membership["arn"],
                "roleArn": request["roleArn"],
                "analysisRuleTypes": [],
                "createTime": created,
                "updateTime": created,
            }
            kind = "configured_table_association"
            self.store.add(kind, body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"configuredTableAssociation": public(body)}

    def get_configured_table_association(self, caller: Caller, **request: Any) -> Document:
        """Shows an association to its owner."""
        return {"configuredTableAssociation": public(association_of(self, caller, request))}

    def list_configured_table_associations(self, caller: Caller, **request: Any) -> Document:
        """Lists the associations of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find("configured_table_association", parent=membership["id"])
        shown, more = page(mine, request, f"associations {membership['id']}")
        summaries = [summary(item, _SUMMARY) for item in shown]
        return {"configuredTableAssociationSummaries": summaries, **more}

    def update_configured_table_association(self, caller: Caller, **request: Any) -> Document:
        """Changes description or role; nothing else of an association can change."""
        if "roleArn" in request:
            _check_role(caller, request["roleArn"])
        with self.store.transaction():
            found = association_of(self, caller, request)
            found |= {field: request[field] for field in ("description", "roleArn") if field in request}
            found["updateTime"] = names.now()
            self.store.save("configured_table_association", found)
        return {"configuredTableAssociation": public(found)}

    def delete_configured_table_association(self, caller: Caller, **request: Any) -> Document:
        """Takes the table, with its collaboration rule, out of the collaboration."""
        with self.store.transaction():
            found = association_of(self, caller, request)
            self.store.remove("configured_table_association", found["id"])
            self.store.remove("association_rule", found["id"])
            self.store.remove("tags", found["arn"])
            membership = self.membership_of(caller, request["membershipIdentifier"])
        settle(self.store, self.managed, membership["collaborationId"])
        return {}


def association_of(room: Room, caller: Caller, request: Mapping[str, Any]) -> Document:
    """Returns the association that a request names, of the caller's membership.

    :raises ServiceFault: ResourceNotFoundException
    """
    membership = room.membership_of(caller, request["membershipIdentifier"])
    identifier = request["configuredTableAssociationIdentifier"]
    found = room.store.get("configured_table_association", identifier)
    if found is None or found["membershipId"] != membership["id"]:
        raise refusals.missing("CONFIGURED_TABLE_ASSOCIATION", identifier)
    return found


def associations_in(room: Room, collaboration: str) -> list[Document]:
    """Returns the associations of all active members of a collaboration."""
    return room.store.of_members("configured_table_association", collaboration)


def _check_role(caller: Caller, role: str) -> None:
    """The caller hands the role to the service, which IAM has to allow."""
    if names.account_of(role) != caller.account:
        raise refusals.field_invalid("roleArn", "has to be a role of the caller's account")
    context = {"iam:PassedToService": SERVICE}
    if not allowed(caller.principal_arn, "iam:PassRole", role, caller.region, context=context):
        raise refusals.denied(f"{caller.principal_arn} is not authorized to perform iam:PassRole on {role}.")
