"""ID namespace associations: a member's identifiers in a collaboration.

The sandbox has no AWS Entity Resolution. What it would hold stands in a bucket of the account,
``entity-resolution-<account>``: a namespace as ``idnamespace/<name>.json`` with ``{"type": "SOURCE"}`` or
``"TARGET"``, a mapping workflow's result as ``idmappingworkflow/<name>.csv`` with a header line, the
source's identifier first and the target's second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.paging import page
from sandbox.cleanrooms.room import Room, public, summary
from sandbox.cleanrooms.state import Document
from sandbox.clients import root_client
from sandbox.wire import Caller

KIND = "id_namespace_association"
BUCKET = "entity-resolution-{account}"
_SUMMARY = (
    "membershipId",
    "membershipArn",
    "collaborationArn",
    "collaborationId",
    "createTime",
    "updateTime",
    "id",
    "arn",
    "inputReferenceConfig",
    "name",
    "description",
)
_COLLABORATION_SUMMARY = (*_SUMMARY[2:], "creatorAccountId")


class IdNamespaces(Room):
    """Operations on ID namespace associations."""

    def create_id_namespace_association(self, caller: Caller, **request: Any) -> Document:
        """Brings a namespace of the caller's account into a collaboration.

        :raises ServiceFault: ResourceNotFoundException for a namespace that is not there
        """
        reference = request["inputReferenceConfig"]
        check_owner(caller, reference["inputReferenceArn"])
        kind = _type_of(reference["inputReferenceArn"])
        with self.store.transaction():
            membership = self.active_membership_of(caller, request["membershipIdentifier"])
            mine = self.store.find(KIND, parent=membership["id"])
            if clash := next((one for one in mine if one["name"] == request["name"]), None):
                message = f"The membership has an ID namespace association '{request['name']}' already."
                raise refusals.conflict("ID_NAMESPACE_ASSOCIATION", clash["id"], "ALREADY_EXISTS", message)
            identifier, created = names.new_id(), names.now()
            body = {
                "id": identifier,
                "arn": names.child_arn(membership["arn"], "idnamespaceassociation", identifier),
                "membershipId": membership["id"],
                "membershipArn": membership["arn"],
                "collaborationId": membership["collaborationId"],
                "collaborationArn": membership["collaborationArn"],
                "creatorAccountId": caller.account,
                "name": request["name"],
                "description": request.get("description"),
                "createTime": created,
                "updateTime": created,
                "inputReferenceConfig": reference,
                "inputReferenceProperties": {"idNamespaceType": kind, "idMappingWorkflowsSupported": []},
                "idMappingConfig": request.get("idMappingConfig") or {"allowUseAsDimensionColumn": False},
            }
            self.store.add(KIND, body, owner=caller.account, parent=membership["id"])
            self.keep_tags(body["arn"], caller.account, request.get("tags"))
        return {"idNamespaceAssociation": _own_view(body)}

    def get_id_namespace_association(self, caller: Caller, **request: Any) -> Document:
        """Shows an association of the caller's membership."""
        return {"idNamespaceAssociation": _own_view(self._namespace(caller, request))}

    def list_id_namespace_associations(self, caller: Caller, **request: Any) -> Document:
        """Lists the associations of a membership."""
        membership = self.membership_of(caller, request["membershipIdentifier"])
        mine = self.store.find(KIND, parent=membership["id"])
        shown, more = page(mine, request, f"id namespaces {membership['id']}")
        return {"idNamespaceAssociationSummaries": [_summary(one, _SUMMARY) for one in shown], **more}

    def update_id_namespace_association(self, caller: Caller, **request: Any) -> Document:
        """Changes name, description, or whether its column may be a dimension."""
        with self.store.transaction():
            found = self._namespace(caller, request)
            fields = ("name", "description", "idMappingConfig")
            found |= {field: request[field] for field in fields if field in request}
            found["updateTime"] = names.now()
            self.store.save(KIND, found)
        return {"idNamespaceAssociation": _own_view(found)}

    def delete_id_namespace_association(self, caller: Caller, **request: Any) -> Document:
        """Takes a namespace out of the collaboration; tables that were mapped with it stay."""
        with self.store.transaction():
            found = self._namespace(caller, request)
            self.store.remove(KIND, found["id"])
            self.store.remove("tags", found["arn"])
        return {}

    def get_collaboration_id_namespace_association(self, caller: Caller, **request: Any) -> Document:
        """Shows any member's association to all members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        wanted = request["idNamespaceAssociationIdentifier"]
        for one in namespaces_in(self, collaboration["id"]):
            if one["id"] == wanted:
                hidden = ("membershipId", "membershipArn")
                shown = {name: value for name, value in public(one).items() if name not in hidden}
                return {"collaborationIdNamespaceAssociation": shown}
        raise refusals.missing("ID namespace association", wanted)

    def list_collaboration_id_namespace_associations(self, caller: Caller, **request: Any) -> Document:
        """Lists the associations of all active members."""
        collaboration = self.collaboration_of_member(caller, request["collaborationIdentifier"])
        every = namespaces_in(self, collaboration["id"])
        shown, more = page(every, request, f"collaboration id namespaces {collaboration['id']}")
        summaries = [_summary(one, _COLLABORATION_SUMMARY) for one in shown]
        return {"collaborationIdNamespaceAssociationSummaries": summaries, **more}

    def _namespace(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        membership = self.membership_of(caller, request["membershipIdentifier"])
        identifier = request["idNamespaceAssociationIdentifier"]
        found = self.store.get(KIND, identifier)
        if found is None or found["membershipId"] != membership["id"]:
            raise refusals.missing("ID namespace association", identifier)
        return found


def namespaces_in(room: Room, collaboration: str) -> list[Document]:
    """Returns the namespace associations of all active members, the oldest first."""
    found = [
        one
        for membership in room.store.find("membership", parent=collaboration)
        if membership["status"] == "ACTIVE"
        for one in room.store.find(KIND, parent=membership["id"])
    ]
    return sorted(found, key=lambda one: one["_seq"])


def check_owner(caller: Caller, arn: str) -> None:
    """Lets pass resources of the caller's own account.

    :raises ServiceFault: AccessDeniedException
    """
    if names.account_of(arn) != caller.account:
        raise refusals.denied(f"{caller.account} has no access to {arn}.")


def entity_resolution_object(arn: str, suffix: str) -> tuple[str, str, bytes]:
    """Returns bucket, key and content of what stands for a resource of Entity Resolution.

    :raises ServiceFault: ResourceNotFoundException
    """
    account, region = names.account_of(arn), names.region_of(arn)
    bucket, key = BUCKET.format(account=account), arn.split(":", 5)[5] + suffix
    try:
        body = root_client("s3", account, region).get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError:
        message = f"{arn} was not found: the sandbox looks for s3://{bucket}/{key}."
        raise refusals.missing("entity resolution resource", arn, message) from None
    return bucket, key, body


def _type_of(arn: str) -> str:
    bucket, key, body = entity_resolution_object(arn, ".json")
    try:
        kind = json.loads(body)["type"]
    except (ValueError, KeyError, TypeError):
        kind = None
    if kind not in ("SOURCE", "TARGET"):
        raise refusals.unready(f's3://{bucket}/{key} has to be {{"type": "SOURCE"}} or "TARGET".')
    return str(kind)


def _summary(one: Document, fields: tuple[str, ...]) -> Document:
    kind = one["inputReferenceProperties"]["idNamespaceType"]
    return summary(one, fields) | {"inputReferenceProperties": {"idNamespaceType": kind}}


def _own_view(one: Document) -> Document:
    return {name: value for name, value in public(one).items() if name != "creatorAccountId"}
