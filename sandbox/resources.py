"""The resource of a Clean Rooms operation that IAM policies are compared with.

Source of the ARN forms and of the resource type of each operation: AWS's Service Authorization
Reference for AWS Clean Rooms. Operations without a resource type there are authorised on ``*``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from sandbox.wire import Caller

# Sub-resources of a membership that have an ARN of their own, by the label in the path.
_MEMBERSHIP_PARTS = {
    "analysisTemplateIdentifier": "analysistemplate",
    "configuredAudienceModelAssociationIdentifier": "configuredaudiencemodelassociation",
    "configuredTableAssociationIdentifier": "configuredtableassociation",
    "idMappingTableIdentifier": "idmappingtable",
    "idNamespaceAssociationIdentifier": "idnamespaceassociation",
    "intermediateTableIdentifier": "intermediatetable",
    "privacyBudgetTemplateIdentifier": "privacybudgettemplate",
}
# Operations that make a resource, whose id nobody knows yet.
_CREATED = {
    "CreateCollaboration": "collaboration",
    "CreateConfiguredTable": "configuredtable",
    "CreateMembership": "membership",
}


def clean_rooms_arn(
    owner_of_collaboration: Callable[[str], str | None],
    operation: str,
    labels: Mapping[str, str],
    caller: Caller,
) -> str:
    """Returns the ARN that policies must name to allow ``operation``, ``*`` when it has no resource.

    :param owner_of_collaboration: account of a collaboration's creator, which its ARN carries; the
        caller's account stands in where it is unknown
    :param labels: the labels of the request's path, percent-encoded
    """
    if "resourceArn" in labels:
        return unquote(labels["resourceArn"])
    if operation in _CREATED:
        return _arn(caller.region, caller.account, f"{_CREATED[operation]}/*")
    if "collaborationIdentifier" in labels:
        identifier = unquote(labels["collaborationIdentifier"])
        owner = owner_of_collaboration(identifier) or caller.account
        return _arn(caller.region, owner, f"collaboration/{identifier}")
    if "configuredTableIdentifier" in labels:
        identifier = unquote(labels["configuredTableIdentifier"])
        return _arn(caller.region, caller.account, f"configuredtable/{identifier}")
    if "membershipIdentifier" not in labels:
        return "*"
    resource = f"membership/{unquote(labels['membershipIdentifier'])}"
    for label, part in _MEMBERSHIP_PARTS.items():
        if label in labels:
            resource += f"/{part}/{unquote(labels[label])}"
    return _arn(caller.region, caller.account, resource)


def _arn(region: str, account: str, resource: str) -> str:
    return f"arn:aws:cleanrooms:{region}:{account}:{resource}"
