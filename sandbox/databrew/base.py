"""What the families of operations share: the state, the settings, lookups, tags and pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cleanrooms.state import Document, Store
from sandbox.databrew import names
from sandbox.databrew.refusals import conflict, invalid, missing, over_quota
from sandbox.databrew.settings import Settings
from sandbox.wire import Caller

_PAGE = 100


class Brew:
    """Base of every family. Documents hold what the API shows; what it does not show begins with ``_``."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings

    def owned(self, caller: Caller, kind: str, name: str) -> Document:
        """Returns a resource of the caller's account and region.

        :raises ServiceFault: ResourceNotFoundException
        """
        found = self.store.get(kind, names.key(caller, name))
        if found is None:
            raise missing(kind, name)
        return found

    def all_of(self, caller: Caller, kind: str) -> list[Document]:
        """Returns the caller's resources of a kind in its region, in the order of their creation."""
        place = names.key(caller, "")
        return [d for d in self.store.find(kind, owner=caller.account) if d["id"].startswith(place)]

    def create(self, caller: Caller, kind: str, quota: int, request: Mapping[str, Any]) -> Document:
        """Stores a new named resource.

        :raises ServiceFault: ValidationException, ConflictException, ServiceQuotaExceededException
        """
        name = request["Name"]
        names.check(kind, name)
        with self.store.transaction():
            if self.store.get(kind, names.key(caller, name)) is not None:
                raise conflict(f"The {kind} {name} already exists.")
            if len(self.all_of(caller, kind)) >= quota:
                raise over_quota(quota, f"{kind}s per account")
            arn = names.arn(caller, kind, name)
            self.store.add("tags", {"id": arn, "tags": request.get("Tags") or {}}, owner=caller.account)
            body = {
                **{member: value for member, value in request.items() if member != "Tags"},
                "id": names.key(caller, name),
                "ResourceArn": arn,
                "CreatedBy": caller.principal_arn,
                "CreateDate": names.now(),
                "LastModifiedBy": caller.principal_arn,
                "LastModifiedDate": names.now(),
            }
            return self.store.add(kind, body, owner=caller.account)

    def change(self, caller: Caller, kind: str, found: Document, **changes: Any) -> Document:
        """Stores a changed resource with who changed it and when."""
        touched = {"LastModifiedBy": caller.principal_arn, "LastModifiedDate": names.now()}
        return self.store.save(kind, {**found, **changes, **touched})

    def remove(self, kind: str, found: Document) -> None:
        """Deletes a resource and its tags."""
        self.store.remove(kind, found["id"])
        self.store.remove("tags", found["ResourceArn"])

    def shown(self, document: Document) -> Document:
        """Returns what the API shows of a document, tags included."""
        seen = {k: v for k, v in document.items() if k != "id" and not k.startswith("_") and v is not None}
        tags = self.store.get("tags", document.get("ResourceArn", ""))
        return {**seen, "Tags": tags["tags"]} if tags and tags["tags"] else seen


def page(
    documents: Sequence[Document], request: Mapping[str, Any], scope: str
) -> tuple[list[Document], dict[str, str]]:
    """Returns one page and the ``NextToken`` member when there are more.

    :param scope: names the list and its filters; a token of another list is refused
    """
    start = _place(request["NextToken"], scope) if request.get("NextToken") else 0
    size = request.get("MaxResults") or _PAGE
    more = start + size < len(documents)
    token = base64.urlsafe_b64encode(json.dumps([scope, start + size]).encode()).decode()
    return list(documents[start : start + size]), {"NextToken": token} if more else {}


def _place(token: str, scope: str) -> int:
    try:
        of, place = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        of, place = None, None
    if of != scope or not isinstance(place, int):
        raise invalid("NextToken is not a token of this list.")
    return place
