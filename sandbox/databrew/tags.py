"""Tags of all taggable resources, by ARN."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms.state import Document
from sandbox.databrew.base import Brew
from sandbox.databrew.refusals import invalid, missing
from sandbox.wire import Caller

_MOST = 200


class Tags(Brew):
    """Operations on tags."""

    def tag_resource(self, caller: Caller, **request: Any) -> Document:
        """Adds tags or replaces their values."""
        with self.store.transaction():
            found = self._tagged(caller, request["ResourceArn"])
            found["tags"] |= request["Tags"]
            if len(found["tags"]) > _MOST:
                raise invalid(f"A resource has at most {_MOST} tags.")
            self.store.save("tags", found)
        return {}

    def untag_resource(self, caller: Caller, **request: Any) -> Document:
        """Removes tags; keys that are not there do no harm."""
        with self.store.transaction():
            found = self._tagged(caller, request["ResourceArn"])
            for key in request["TagKeys"]:
                found["tags"].pop(key, None)
            self.store.save("tags", found)
        return {}

    def list_tags_for_resource(self, caller: Caller, **request: Any) -> Document:
        """Returns the tags of a resource of the caller's account."""
        return {"Tags": self._tagged(caller, request["ResourceArn"])["tags"]}

    def _tagged(self, caller: Caller, arn: str) -> Document:
        found = self.store.get("tags", arn)
        if found is None or found["_owner"] != caller.account:
            raise missing("resource", arn)
        return found
