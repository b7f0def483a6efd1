"""Collaboration analysis rules: who may receive results from a table in one collaboration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cleanrooms import names, refusals
from sandbox.cleanrooms.associations import association_of
from sandbox.cleanrooms.room import Room, member_of, public
from sandbox.cleanrooms.state import Document
from sandbox.wire import Caller


class AssociationRules(Room):
    """Operations on the analysis rule of an association."""

    def create_configured_table_association_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Gives an association its rule, of the type of the table's rule.

        :raises ServiceFault: ConflictException when it has one, ValidationException for another type or
            for receivers that are no members
        """
        kind, policy = request["analysisRuleType"], request["analysisRulePolicy"]
        with self.store.transaction():
            association = association_of(self, caller, request)
            if self.store.get("association_rule", association["id"]):
                message = f"Association {association['id']} has an analysis rule already."
                raise refusals.conflict(
                    "CONFIGURED_TABLE_ASSOCIATION", association["id"], "ALREADY_EXISTS", message
                )
            self._check(association, kind, policy)
            created = names.now()
            body = {
                "id": association["id"],
                "membershipIdentifier": association["membershipId"],
                "configuredTableAssociationId": association["id"],
                "configuredTableAssociationArn": association["arn"],
                "policy": policy,
                "type": kind,
                "createTime": created,
                "updateTime": created,
            }
            self.store.add("association_rule", body, owner=caller.account, parent=association["id"])
            changed = {"analysisRuleTypes": [kind], "updateTime": created}
            self.store.save("configured_table_association", association | changed)
        return {"analysisRule": _view(body)}

    def get_configured_table_association_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Shows the rule to the association's owner."""
        return {"analysisRule": _view(self._association_rule(caller, request))}

    def update_configured_table_association_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Replaces the policy; the type stays."""
        with self.store.transaction():
            rule = self._association_rule(caller, request)
            association = association_of(self, caller, request)
            self._check(association, rule["type"], request["analysisRulePolicy"])
            rule |= {"policy": request["analysisRulePolicy"], "updateTime": names.now()}
            self.store.save("association_rule", rule)
        return {"analysisRule": _view(rule)}

    def delete_configured_table_association_analysis_rule(self, caller: Caller, **request: Any) -> Document:
        """Takes the rule away: the table is not ready for queries until it has another."""
        with self.store.transaction():
            rule = self._association_rule(caller, request)
            association = association_of(self, caller, request)
            self.store.remove("association_rule", rule["id"])
            changed = {"analysisRuleTypes": [], "updateTime": names.now()}
            self.store.save("configured_table_association", association | changed)
        return {}

    def _association_rule(self, caller: Caller, request: Mapping[str, Any]) -> Document:
        association = association_of(self, caller, request)
        kind = request["analysisRuleType"]
        rule = self.store.get("association_rule", association["id"])
        if rule is None or rule["type"] != kind:
            message = f"No such analysis rule with configuredTableAssociationId: {association['id']} and type {kind}"
            raise refusals.missing("CONFIGURED_TABLE_ASSOCIATION", association["id"], message)
        return rule

    def _check(self, association: Document, kind: str, policy: Mapping[str, Any]) -> None:
        member = {"AGGREGATION": "aggregation", "LIST": "list", "CUSTOM": "custom"}[kind]
        if set(policy.get("v1", {})) != {member}:
            raise refusals.field_invalid("analysisRulePolicy", f"has to be of type {kind}: v1.{member}")
        table_rule = self.store.get("table_rule", association["configuredTableId"])
        if table_rule and table_rule["type"] != kind:
            raise refusals.unready(f"The configured table's analysis rule is of type {table_rule['type']}.")
        membership = self.store.get("membership", association["membershipId"]) or {}
        collaboration = self.collaboration_by_id(membership["collaborationId"])
        receivers = policy["v1"][member].get("allowedResultReceivers", [])
        strangers = [account for account in receivers if member_of(collaboration, account) is None]
        if strangers:
            raise refusals.field_invalid(
                "allowedResultReceivers", f"no members of the collaboration: {', '.join(strangers)}"
            )


def _view(rule: Document) -> Document:
    return {name: value for name, value in public(rule).items() if name != "id"}
