"""Tags of all taggable resources, by ARN."""

from __future__ import annotations

from typing import Any

from sandbox.cleanrooms import refusals
from sandbox.cleanrooms.room import Room
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller

_MOST = 200


class Tags(Room):
    """Operations on tags."""

    def tag_resource(self, caller: Caller, **request: Any) -> Document:
        """Adds tags or replaces their values."""
        with self.store.transaction():
            found = self._tagged(caller, request["resourceArn"])
            found["tags"] |= request["tags"]
            if len(found["tags"]) > _MOST:
                raise refusals.field_invalid("tags", f"a resource has at most {_MOST} tags")
            self.store.save("tags", found)
        return {}

    def untag_resource(self, caller: Caller, **request: Any) -> Document:
        """Removes tags; keys that are not there do no harm."""
        with self.store.transaction():
            found = self._tagged(caller, request["resourceArn"])
            for key in request["tagKeys"]:
                found["tags"].pop(key, None)
            self.store.save("tags", found)
        return {}

    def list_tags_for_resource(self, caller: Caller, **request: Any) -> Document:
        """Returns the tags of a resource of the caller's account."""
        return {"tags": self._tagged(caller, request["resourceArn"])["tags"]}

    def _tagged(self, caller: Caller, arn: str) -> Document:
        found = self.store.get("tags", arn)
        if found is None or found["_owner"] != caller.account:
            raise refusals.missing("resource", arn)
        return found
